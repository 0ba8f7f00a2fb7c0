//! How SSH writes values: texts with their lengths, and numbers with a sign (RFC 4251, section 5).

/// Writes values one behind the other.
#[derive(Default)]
pub struct Writer(pub Vec<u8>);

impl Writer {
    #[must_use]
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    #[must_use]
    pub fn text(self, text: impl AsRef<[u8]>) -> Self {
        let text = text.as_ref();
        let length = u32::try_from(text.len()).expect("what is written here is short");
        self.bytes(&length.to_be_bytes()).bytes(text)
    }

    /// A number without a sign, its highest byte first.
    #[must_use]
    pub fn number(self, number: &[u8]) -> Self {
        let number = without_zeros(number);
        let zero: &[u8] = if number.first().is_some_and(|first| first & 0x80 != 0) { &[0] } else { &[] };
        self.text([zero, number].concat())
    }
}

pub fn without_zeros(number: &[u8]) -> &[u8] {
    &number[number.iter().take_while(|byte| **byte == 0).count()..]
}

/// Reads values one behind the other; none where there are no more.
pub struct Reader<'b>(pub &'b [u8]);

impl<'b> Reader<'b> {
    pub fn bytes(&mut self, count: usize) -> Option<&'b [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    pub fn byte(&mut self) -> Option<u8> {
        self.bytes(1).map(|bytes| bytes[0])
    }

    pub fn count(&mut self) -> Option<usize> {
        let bytes = self.bytes(4)?.try_into().expect("four were asked for");
        usize::try_from(u32::from_be_bytes(bytes)).ok()
    }

    pub fn text(&mut self) -> Option<&'b [u8]> {
        let count = self.count()?;
        self.bytes(count)
    }

    /// Names with commas between them.
    pub fn names(&mut self) -> Option<Vec<&'b str>> {
        Some(std::str::from_utf8(self.text()?).ok()?.split(',').collect())
    }
}

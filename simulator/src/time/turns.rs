//! Taking turns: script threads and the world, one at a time.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::{sync::Notify, time::Instant};

use super::{Elapsed, lock};

/// One branch of a fork.
pub type Branch<'a> = Box<dyn FnOnce() + Send + 'a>;

/// If nothing happens for so long, nothing ever will: every wait of a script has a deadline far below.
const NEVER: Duration = Duration::from_secs(10 * 366 * 24 * 3600);

/// What a script thread says when it ends its turn.
pub(super) enum Said {
    /// It goes on when the work is done.
    Waits(Arc<Seat>, BoxFuture<'static, ()>),
    /// It goes on when all of these have ended.
    Forks(Vec<Arc<Seat>>),
    Ended(Arc<Seat>),
    /// The script has ended, and with it the world.
    Over,
}

/// A script thread's place, in which it waits for its turn.
pub(super) struct Seat {
    give: mpsc::Sender<()>,
    turn: Mutex<mpsc::Receiver<()>>,
    /// The branches it is one of.
    crew: Option<Arc<Crew>>,
}

/// The branches of one fork, and who waits for them.
pub(super) struct Crew {
    parent: Arc<Seat>,
    left: AtomicUsize,
}

impl Seat {
    pub(super) fn new(crew: Option<Arc<Crew>>) -> Arc<Self> {
        let (give, turn) = mpsc::channel();
        Arc::new(Self { give, turn: Mutex::new(turn), crew })
    }

    fn wait_for_turn(&self) {
        lock(&self.turn).recv().expect("the world gives everybody a turn for as long as scripts run");
    }
}

thread_local! {
    static SEAT: RefCell<Option<Arc<Seat>>> = const { RefCell::new(None) };
    static BEGINNING: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// When the world of this thread began.
pub(super) fn beginning() -> Instant {
    BEGINNING.get().unwrap_or_else(|| {
        let now = Instant::now();
        BEGINNING.set(Some(now));
        now
    })
}

/// The bridge from script threads to the world.
pub struct Turns {
    say: mpsc::Sender<Said>,
    /// Of the thread that runs the script's main line.
    main: Arc<Seat>,
}

impl Turns {
    pub(super) fn new(say: mpsc::Sender<Said>, main: Arc<Seat>) -> Self {
        Self { say, main }
    }

    fn seat(&self) -> Arc<Seat> {
        SEAT.with_borrow(|seat| seat.clone().unwrap_or_else(|| self.main.clone()))
    }

    fn end_turn(&self, said: Said) {
        self.say.send(said).expect("the world outlives its scripts");
    }
}

impl Turns {
    /// Blocks this script thread until the work is done.
    ///
    /// # Panics
    /// If the world has ended.
    pub fn drive(&self, work: BoxFuture<'static, ()>) {
        let seat = self.seat();
        self.end_turn(Said::Waits(seat.clone(), work));
        seat.wait_for_turn();
    }

    /// Runs the branches, each on a script thread of its own with a stack of so many bytes, until all have ended.
    ///
    /// # Panics
    /// If the system gives no more threads.
    pub fn fork(&self, stack: usize, branches: Vec<Branch<'_>>) {
        if branches.is_empty() {
            return;
        }
        let parent = self.seat();
        let crew = Arc::new(Crew { parent: parent.clone(), left: AtomicUsize::new(branches.len()) });
        thread::scope(|scope| {
            let seats = branches.into_iter().enumerate().map(|(index, branch)| {
                let seat = Seat::new(Some(crew.clone()));
                let (own, say) = (seat.clone(), self.say.clone());
                thread::Builder::new()
                    .name(format!("branch {index}"))
                    .stack_size(stack)
                    .spawn_scoped(scope, move || {
                        let _ending = Ending { seat: own.clone(), say };
                        own.wait_for_turn();
                        SEAT.set(Some(own));
                        branch();
                    })
                    .expect("the system gives another thread");
                seat
            });
            let seats = seats.collect();
            self.end_turn(Said::Forks(seats));
            parent.wait_for_turn();
        });
    }
}

/// Says that a branch has ended, also if it panicked.
struct Ending {
    seat: Arc<Seat>,
    say: mpsc::Sender<Said>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        // If the world is gone, nobody waits for this branch.
        drop(self.say.send(Said::Ended(self.seat.clone())));
    }
}

/// Who gives the turns.
pub(super) struct World {
    hear: mpsc::Receiver<Said>,
    elapsed: Arc<Elapsed>,
    ready: Arc<Ready>,
}

/// Script threads whose work is done, in the order in which it was.
#[derive(Default)]
struct Ready {
    seats: Mutex<VecDeque<Arc<Seat>>>,
    more: Notify,
}

impl Ready {
    fn add(&self, seat: Arc<Seat>) {
        lock(&self.seats).push_back(seat);
        self.more.notify_one();
    }

    fn next(&self) -> Option<Arc<Seat>> {
        lock(&self.seats).pop_front()
    }
}

impl World {
    pub(super) fn new(hear: mpsc::Receiver<Said>, elapsed: Arc<Elapsed>) -> Self {
        beginning();
        Self { hear, elapsed, ready: Arc::default() }
    }

    /// Gives turns until the script is over. The first is the script's.
    pub(super) async fn turn_by_turn(self) {
        loop {
            // Blocks the world: it stands still for as long as a script thread computes.
            match self.hear.recv() {
                Ok(Said::Waits(seat, work)) => {
                    let done = Done { seat, ready: self.ready.clone() };
                    tokio::spawn(async move {
                        let _done = done;
                        work.await;
                    });
                }
                Ok(Said::Forks(seats)) => seats.into_iter().for_each(|seat| self.ready.add(seat)),
                Ok(Said::Ended(seat)) => {
                    if let Some(crew) = &seat.crew
                        && crew.left.fetch_sub(1, Ordering::AcqRel) == 1
                    {
                        self.ready.add(crew.parent.clone());
                    }
                }
                Ok(Said::Over) | Err(mpsc::RecvError) => return,
            }
            let seat = self.next().await;
            self.elapsed.set(Instant::now().duration_since(beginning()));
            seat.give.send(()).expect("a seat holds both ends");
        }
    }

    /// The next script thread that can go on. Until there is one, the world runs, and when it has nothing left to do at this
    /// moment, the clock jumps.
    async fn next(&self) -> Arc<Seat> {
        let next = async {
            loop {
                match self.ready.next() {
                    Some(seat) => return seat,
                    None => self.ready.more.notified().await,
                }
            }
        };
        tokio::time::timeout(NEVER, next).await.expect("some wait of a script ends")
    }
}

/// Makes a script thread ready when its work is done, or has panicked.
struct Done {
    seat: Arc<Seat>,
    ready: Arc<Ready>,
}

impl Drop for Done {
    fn drop(&mut self) {
        self.ready.add(self.seat.clone());
    }
}

//! Virtual time: nothing waits for the real clock, and the order of everything is always the same.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use simulator::time::{Branch, Elapsed, Pace, Time, Turns};

const STACK: usize = 1 << 20;
const HOUR: Duration = Duration::from_secs(3600);

struct World {
    elapsed: Arc<Elapsed>,
    turns: Turns,
    told: Arc<Mutex<Vec<String>>>,
    _time: Time,
}

impl World {
    fn begin() -> Self {
        let time = Time::begin(Pace::Unbound, async || ());
        Self { elapsed: time.elapsed(), turns: time.turns(), told: Arc::default(), _time: time }
    }

    fn sleep(&self, pause: Duration) {
        // Made inside of the future, which the world polls: only there is virtual time.
        self.turns.drive(Box::pin(async move { tokio::time::sleep(pause).await }));
    }

    fn tell(&self, what: &str) {
        self.told.lock().unwrap().push(format!("{:?} {what}", self.elapsed.get()));
    }

    fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }
}

#[test]
fn an_hour_passes_at_once() {
    let begun = Instant::now();
    let world = World::begin();
    world.sleep(HOUR);
    assert_eq!(world.elapsed.get(), HOUR);
    assert!(begun.elapsed() < HOUR / 60, "it took {:?}", begun.elapsed());
}

#[test]
fn time_stands_still_while_a_script_computes() {
    let world = World::begin();
    world.sleep(Duration::from_secs(1));
    let computed: u64 = (0..1_000_000).fold(0, |sum, n| std::hint::black_box(sum ^ n));
    std::hint::black_box(computed);
    assert_eq!(world.elapsed.get(), Duration::from_secs(1));
}

#[test]
fn branches_wait_side_by_side_and_their_parent_waits_for_the_last() {
    let world = World::begin();
    let branches = (0..8_u32).map(|index| {
        let world = &world;
        Box::new(move || {
            world.sleep(HOUR * (8 - index));
            world.tell(&index.to_string());
        }) as Branch<'_>
    });
    world.turns.fork(STACK, branches.collect());
    assert_eq!(world.elapsed.get(), HOUR * 8);
    assert_eq!(
        world.told(),
        ["7", "6", "5", "4", "3", "2", "1", "0"]
            .iter()
            .enumerate()
            .map(|(hours, index)| { format!("{:?} {index}", HOUR * (u32::try_from(hours).unwrap() + 1)) })
            .collect::<Vec<_>>()
    );
}

#[test]
fn what_happens_at_the_same_time_happens_in_the_same_order_each_time() {
    let rehearse = || {
        let world = World::begin();
        let branches = (0..6).map(|index| {
            let world = &world;
            Box::new(move || {
                world.tell(&format!("{index} begins"));
                for round in 0..3 {
                    world.sleep(Duration::from_secs(60));
                    world.tell(&format!("{index} round {round}"));
                }
                let inner = ["a", "b"].map(|name| {
                    Box::new(move || {
                        world.sleep(Duration::from_secs(1));
                        world.tell(&format!("{index}{name}"));
                    }) as Branch<'_>
                });
                world.turns.fork(STACK, inner.into());
            }) as Branch<'_>
        });
        world.turns.fork(STACK, branches.collect());
        world.told()
    };
    let first = rehearse();
    assert_eq!(first.len(), 6 * (1 + 3 + 2));
    for _ in 0..50 {
        assert_eq!(rehearse(), first);
    }
}

#[test]
fn a_branch_that_panics_does_not_hold_the_others_up() {
    let world = World::begin();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let calm = || {
            world.sleep(HOUR);
            world.tell("calm");
        };
        world.turns.fork(STACK, vec![Box::new(|| panic!("oh")), Box::new(calm)]);
    }));
    assert!(result.is_err());
    assert_eq!(world.told(), ["3600s calm"]);
    world.sleep(HOUR);
    assert_eq!(world.elapsed.get(), HOUR * 2);
}

#[test]
fn a_fork_without_branches_is_over_at_once() {
    let world = World::begin();
    world.turns.fork(STACK, Vec::new());
    assert_eq!(world.elapsed.get(), Duration::ZERO);
}

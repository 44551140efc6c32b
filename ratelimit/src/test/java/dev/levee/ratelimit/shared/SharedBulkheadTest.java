package dev.levee.ratelimit.shared;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CapturedLog;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.GateContract;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SharedBulkheadTest {
    private static final Duration LEASE = Duration.ofSeconds(6);

    private final ManualTime time = new ManualTime();
    private final MemoryPermitStore store = new MemoryPermitStore(time::nanoTime);

    private SharedBulkhead bulkhead(int limit) {
        return SharedBulkhead.of("pool", limit, store, time.environment());
    }

    private SharedBulkhead started(int limit) {
        SharedBulkhead made = bulkhead(limit);
        time.runReady();
        return made;
    }

    private long enter(SharedBulkhead bulkhead) {
        return bulkhead.tryEnter(time.nanoTime());
    }

    private void exit(SharedBulkhead bulkhead, long stamp) {
        bulkhead.exit(stamp, 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
    }

    /** Enters as often as it is let, while time passes. */
    private List<Long> fill(SharedBulkhead bulkhead) {
        List<Long> stamps = new ArrayList<>();
        for (int i = 0; i < 400; i++) {
            for (long stamp = enter(bulkhead); stamp != Gate.REFUSED; stamp = enter(bulkhead)) {
                stamps.add(stamp);
            }
            time.advance(Duration.ofMillis(50));
        }
        return stamps;
    }

    @Test
    void calls_are_admitted_up_to_the_limit_over_all_processes() {
        SharedBulkhead a = started(10);
        SharedBulkhead b = started(10);

        List<Long> first = fill(a);
        List<Long> second = fill(b);

        assertThat(first.size() + second.size()).isEqualTo(10);
        assertThat(a.inFlight() + b.inFlight()).isEqualTo(10);
        assertThatThrownBy(() -> b.run(() -> {}))
                .isInstanceOf(SharedBulkheadFullException.class)
                .hasMessageContaining("bulkhead \"pool\" is full")
                .hasMessageContaining("of the 10 permits that all processes share");
    }

    @Test
    void what_one_process_gives_up_goes_to_the_other() {
        SharedBulkhead a = started(10);
        SharedBulkhead b = started(10);
        List<Long> stamps = fill(a);
        fill(b);

        stamps.forEach(stamp -> exit(a, stamp));
        fill(b);

        assertThat(b.inFlight()).isGreaterThanOrEqualTo(8);
        assertThat(store.leased("pool")).isLessThanOrEqualTo(10);
    }

    @Test
    void permits_of_a_process_that_died_come_back() {
        ManualTime dead = new ManualTime();
        SharedBulkhead killed = SharedBulkhead.of("pool", 10, store, dead.environment());
        dead.runReady();
        for (int i = 0; i < 300; i++) {
            enter(killed);
            dead.runReady();
            time.advance(Duration.ofMillis(20));
            dead.advance(Duration.ofMillis(20));
        }
        assertThat(killed.inFlight()).isEqualTo(10);
        assertThat(store.leased("pool")).isEqualTo(10);
        SharedBulkhead survivor = started(10);
        assertThat(enter(survivor)).isEqualTo(Gate.REFUSED);

        time.advance(LEASE);
        fill(survivor);

        assertThat(survivor.inFlight()).isEqualTo(10);
    }

    @Test
    void a_process_that_cannot_renew_admits_nothing_after_its_lease() {
        try (CapturedLog log = new CapturedLog(SharedBulkhead.class)) {
            SharedBulkhead bulkhead = started(10);
            List<Long> stamps = fill(bulkhead);
            exit(bulkhead, stamps.remove(0));
            store.fail();

            time.advance(LEASE.minusMillis(2100));
            assertThat(enter(bulkhead)).as("within its lease").isNotEqualTo(Gate.REFUSED);
            time.advance(LEASE);

            assertThat(bulkhead.leased()).isZero();
            assertThat(String.join("\n", log.lines()))
                    .contains("bulkhead \"pool\": its lease has ended with 10 calls in flight");
            assertThat(String.join("\n", log.lines())).contains("its lease cannot be renewed");
            exit(bulkhead, stamps.remove(0));
            assertThat(enter(bulkhead)).isEqualTo(Gate.REFUSED);
            assertThat(bulkhead.refusal()).hasMessageContaining("has no lease at present");

            store.work();
            time.advance(LEASE);
            assertThat(enter(bulkhead)).isNotEqualTo(Gate.REFUSED);
        }
    }

    @Test
    void a_process_that_was_frozen_admits_nothing_before_its_timer_has_run() {
        SharedBulkhead bulkhead = started(10);
        long after = time.nanoTime() + LEASE.toNanos();

        assertThat(bulkhead.tryEnter(after - 1)).isNotEqualTo(Gate.REFUSED);
        assertThat(bulkhead.tryEnter(after)).isEqualTo(Gate.REFUSED);
    }

    @Test
    void a_lease_counts_from_before_it_was_asked_for() {
        CompletableFuture<PermitLease> slow = new CompletableFuture<>();
        PermitRequest[] asked = new PermitRequest[1];
        store.be(request -> {
            asked[0] = request;
            return slow;
        });
        SharedBulkhead bulkhead = started(10);
        long start = time.nanoTime();
        time.advance(Duration.ofMillis(1900));

        slow.complete(store.answer(asked[0]).join());
        time.runReady();

        assertThat(bulkhead.tryEnter(start + LEASE.toNanos() - 1)).isNotEqualTo(Gate.REFUSED);
        assertThat(bulkhead.tryEnter(start + LEASE.toNanos())).isEqualTo(Gate.REFUSED);
    }

    @Test
    void without_a_lease_as_many_calls_are_admitted_as_the_outage_policy_says() {
        store.fail();
        SharedBulkhead bulkhead = SharedBulkhead.of(
                "pool", config -> config.maxConcurrent(10).outagePermits(2), store, time.environment());
        time.runReady();

        long first = enter(bulkhead);
        long second = enter(bulkhead);
        assertThat(List.of(first, second)).doesNotContain(Gate.REFUSED);
        assertThat(enter(bulkhead)).isEqualTo(Gate.REFUSED);
        assertThat(bulkhead.refusal()).hasMessageContaining("has no lease, and is full");

        store.work();
        time.advance(LEASE);
        assertThat(bulkhead.leased()).isGreaterThanOrEqualTo(2);
        store.fail();
        time.advance(LEASE.multipliedBy(2));
        assertThat(bulkhead.leased()).isZero();
        exit(bulkhead, first);
        assertThat(enter(bulkhead)).isNotEqualTo(Gate.REFUSED);
        assertThat(enter(bulkhead)).isEqualTo(Gate.REFUSED);
    }

    @Test
    void processes_that_contradict_each_other_are_told_and_get_nothing() {
        try (CapturedLog log = new CapturedLog(SharedBulkhead.class)) {
            SharedBulkhead first = started(10);
            SharedBulkhead second = started(9);
            time.advance(LEASE);

            assertThat(enter(first)).isNotEqualTo(Gate.REFUSED);
            assertThat(enter(second)).isEqualTo(Gate.REFUSED);
            assertThat(String.valueOf(log.throwables())).contains("another process has the limit 10");
        }
    }

    @Test
    void a_lower_limit_applies_in_all_processes() {
        SharedBulkhead a = started(10);
        SharedBulkhead b = started(10);
        List<Long> stamps = fill(a);

        b.setMaxConcurrent(4);
        time.advance(LEASE);
        stamps.forEach(stamp -> exit(a, stamp));
        time.advance(LEASE);
        fill(a);
        fill(b);

        assertThat(a.maxConcurrent()).isEqualTo(4);
        assertThat(a.inFlight() + b.inFlight()).isEqualTo(4);
    }

    @Test
    void an_answer_that_was_under_way_when_the_limit_was_changed_does_not_take_the_change_back() {
        List<PermitRequest> requests = new ArrayList<>();
        List<CompletableFuture<PermitLease>> answers = new ArrayList<>();
        PermitStore slow = request -> {
            requests.add(request);
            answers.add(new CompletableFuture<>());
            return answers.get(answers.size() - 1);
        };
        SharedBulkhead bulkhead = SharedBulkhead.of("pool", 10, slow, time.environment());
        time.runReady();
        bulkhead.setMaxConcurrent(4);
        time.runReady();
        PermitRequest asked = requests.get(0);
        answers.get(0).complete(new PermitLease(10, 10, 1, asked.limit(), asked.lifeNanos(), asked.revision(), false));
        time.runReady();
        assertThat(bulkhead.maxConcurrent()).isEqualTo(4);
        time.advance(LEASE);
        assertThat(requests.get(1).limit()).isEqualTo(4);
        assertThat(requests.get(1).revision()).isEqualTo(asked.revision() + 1);
    }

    @Test
    void a_call_waits_for_the_first_lease() {
        CompletableFuture<PermitLease> slow = new CompletableFuture<>();
        PermitRequest[] asked = new PermitRequest[1];
        store.be(request -> {
            asked[0] = request;
            return slow;
        });
        SharedBulkhead bulkhead = SharedBulkhead.of(
                "pool", config -> config.queue(10, Duration.ofSeconds(10)), store, time.environment());
        time.runReady();
        CompletableFuture<String> call = bulkhead.callAsync(() -> CompletableFuture.completedFuture("yes"));
        List<String> heard = new ArrayList<>();
        time.start(() -> heard.add(bulkhead.call(() -> "too")));
        time.awaitSleepers(1);
        assertThat(call).isNotDone();

        store.work();
        slow.complete(store.answer(asked[0]).join());
        time.advance(Duration.ofSeconds(1));

        assertThat(call).isCompletedWithValue("yes");
        assertThat(heard).containsExactly("too");
    }

    @Test
    void a_call_that_waits_is_not_begun_by_a_lease_that_has_ended() {
        SharedBulkhead bulkhead = SharedBulkhead.of(
                "pool", config -> config.maxConcurrent(1).queue(10, Duration.ofSeconds(60)), store, time.environment());
        time.runReady();
        long stamp = enter(bulkhead);
        boolean[] begun = new boolean[1];
        CompletableFuture<String> call = bulkhead.callAsync(() -> {
            begun[0] = true;
            return CompletableFuture.completedFuture("yes");
        });
        store.fail();
        time.advance(LEASE.multipliedBy(2));

        exit(bulkhead, stamp);
        time.advance(Duration.ofSeconds(1));

        assertThat(begun[0]).isFalse();
        store.work();
        time.advance(LEASE);
        assertThat(call).isCompletedWithValue("yes");
    }

    /** The process stands still for longer than its lease, and goes on in the middle of a call. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void a_call_whose_turn_comes_after_the_lease_waits_for_the_next_one(boolean onThread) {
        AtomicLong frozen = new AtomicLong();
        Environment environment = time.environment().toBuilder()
                .clock(() -> time.nanoTime() + frozen.get())
                .build();
        SharedBulkhead bulkhead = SharedBulkhead.of(
                "pool", config -> config.maxConcurrent(1).queue(10, Duration.ofSeconds(60)), store, environment);
        time.runReady();
        long held = bulkhead.tryEnter(time.nanoTime());
        Deadline deadline = Deadline.after(Duration.ofSeconds(60), environment.clock());
        CompletableFuture<Long> turn = onThread ? new CompletableFuture<>() : bulkhead.enterAsync(deadline);
        if (onThread) {
            time.start(() -> {
                try {
                    turn.complete(bulkhead.enter(deadline));
                } catch (InterruptedException interrupt) {
                    throw new AssertionError(interrupt);
                }
            });
            time.awaitSleepers(1);
        }
        frozen.set(LEASE.multipliedBy(2).toNanos());

        exit(bulkhead, held);
        time.advance(LEASE);
        assertThat(turn).isCompletedWithValueMatching(stamp -> stamp != Gate.REFUSED);
    }

    @Test
    void a_wait_that_is_ended_from_outside_holds_no_permit() {
        SharedBulkhead bulkhead = SharedBulkhead.of(
                "pool", config -> config.maxConcurrent(1).queue(10, Duration.ofSeconds(60)), store, time.environment());
        time.runReady();
        long held = enter(bulkhead);
        CompletableFuture<Long> given =
                bulkhead.enterAsync(Deadline.after(LEASE, time.environment().clock()));
        given.completeExceptionally(new TimeoutException());
        assertThat(bulkhead.waiting()).isZero();
        exit(bulkhead, held);
        time.runReady();
        assertThat(bulkhead.inFlight()).isZero();
    }

    @Test
    void calls_that_wait_when_an_outage_begins_are_admitted_by_its_policy_in_both_forms() {
        store.be(request -> new CompletableFuture<>());
        Environment direct =
                time.environment().toBuilder().executor(Runnable::run).build();
        SharedBulkhead bulkhead = SharedBulkhead.of(
                "pool", config -> config.queue(10, Duration.ofSeconds(60)).outagePermits(2), store, direct);
        CompletableFuture<String> call = bulkhead.callAsync(() -> CompletableFuture.completedFuture("async"));
        List<String> heard = new ArrayList<>();
        time.start(() -> heard.add(bulkhead.call(() -> "blocking")));
        time.awaitSleepers(1);

        time.advance(LEASE);

        assertThat(call).isCompletedWithValue("async");
        assertThat(heard).containsExactly("blocking");
    }

    @Test
    void a_call_that_gets_its_turn_from_a_lease_that_has_just_ended_waits_for_the_next_in_both_forms() {
        long[] ahead = {0};
        Environment environment = time.environment().toBuilder()
                .clock(() -> time.nanoTime() + ahead[0])
                .executor(Runnable::run)
                .build();
        SharedBulkhead bulkhead = SharedBulkhead.of(
                "pool", config -> config.maxConcurrent(1).queue(10, Duration.ofSeconds(60)), store, environment);
        long stamp = bulkhead.tryEnter(time.nanoTime());
        CompletableFuture<String> call = bulkhead.callAsync(() -> CompletableFuture.completedFuture("async"));
        List<String> heard = new ArrayList<>();
        time.start(() -> heard.add(bulkhead.call(() -> "blocking")));
        time.awaitSleepers(1);
        ahead[0] = LEASE.toNanos();

        exit(bulkhead, stamp);
        time.advance(LEASE);

        assertThat(call).isCompletedWithValue("async");
        assertThat(heard).containsExactly("blocking");
        assertThat(bulkhead.inFlight()).isZero();
    }

    @Test
    void a_turn_that_is_cancelled_while_it_waits_for_the_next_lease_holds_nothing() {
        long[] ahead = {0};
        Environment environment = time.environment().toBuilder()
                .clock(() -> time.nanoTime() + ahead[0])
                .executor(Runnable::run)
                .build();
        SharedBulkhead bulkhead = SharedBulkhead.of(
                "pool", config -> config.maxConcurrent(1).queue(10, Duration.ofSeconds(60)), store, environment);
        long stamp = bulkhead.tryEnter(time.nanoTime());
        CompletableFuture<Long> turn = bulkhead.enterAsync(Deadline.after(Duration.ofMinutes(5), environment.clock()));
        ahead[0] = LEASE.toNanos();
        store.fail();
        exit(bulkhead, stamp);
        assertThat(turn).isNotDone();

        assertThat(turn.cancel(false)).isTrue();

        assertThat(turn).isCancelled();
        store.work();
        time.advance(LEASE);
        assertThat(bulkhead.inFlight()).isZero();
        assertThat(bulkhead.waiting()).isZero();
    }

    @Test
    void closing_gives_the_permits_back_when_calls_have_ended() {
        SharedBulkhead bulkhead = SharedBulkhead.of(
                "pool", config -> config.maxConcurrent(2).queue(5, Duration.ofMinutes(10)), store, time.environment());
        time.runReady();
        long stamp = enter(bulkhead);
        time.advance(Duration.ofSeconds(3));
        long second = enter(bulkhead);
        CompletableFuture<String> waits = bulkhead.callAsync(() -> CompletableFuture.completedFuture("no"));

        bulkhead.close();
        time.advance(Duration.ofSeconds(1));
        assertThat(enter(bulkhead)).isEqualTo(Gate.REFUSED);
        assertThat(store.leased("pool")).isEqualTo(2);
        exit(bulkhead, stamp);
        exit(bulkhead, second);
        time.advance(Duration.ofSeconds(3));

        assertThat(store.leased("pool")).isZero();
        assertThat(waits).isCompletedExceptionally();
        assertThat(bulkhead.refusal()).hasMessageContaining("is closed");
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void permits_that_other_processes_hold_for_bursts_go_to_the_one_with_calls_that_wait() {
        int limit = 20;
        long callNanos = Duration.ofMillis(200).toNanos();
        long warmUpNanos = Duration.ofSeconds(8).toNanos();
        List<SharedBulkhead> processes = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            processes.add(SharedBulkhead.of(
                    "pool",
                    config -> config.maxConcurrent(limit).queue(50, Duration.ofSeconds(1)),
                    store,
                    time.environment()));
        }
        Random random = new Random(3);
        long start = time.nanoTime();
        long[] asked = new long[4];
        long[] served = new long[4];
        // The first offers twice the limit, each of the others a twentieth of it.
        for (double at = 0; at < 30e9; at += -Math.log(1 - random.nextDouble()) * callNanos / (2.15 * limit)) {
            time.advance(Duration.ofNanos(Math.max(0, start + (long) at - time.nanoTime())));
            double draw = random.nextDouble() * 2.15;
            int process = draw < 2 ? 0 : 1 + (int) ((draw - 2) / 0.05 % 3);
            int counts = at > warmUpNanos ? 1 : 0;
            asked[process] += counts;
            processes.get(process).callAsync(() -> {
                served[process] += counts;
                CompletableFuture<String> end = new CompletableFuture<>();
                time.environment().schedule(() -> end.complete("end"), callNanos);
                return end;
            });
        }

        double possible = (30e9 - warmUpNanos) / callNanos * limit;
        assertThat((served[0] + served[1] + served[2] + served[3]) / possible).isGreaterThan(0.8);
        for (int i = 1; i < 4; i++) {
            assertThat(served[i] / (double) asked[i]).isGreaterThan(0.95);
        }
    }

    @Test
    void settings_out_of_range_are_named() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SharedBulkhead.of("pool", config -> config.lease(Duration.ofMillis(1)), store))
                .withMessageContaining("bulkhead \"pool\": lease must be from 100ms to 24h, but was 1ms");
        assertThatIllegalArgumentException().isThrownBy(() -> SharedBulkhead.of("pool", 0, store));
    }

    /** Answers get lost, come late, or are given to requests that were sent twice; processes die and come. */
    @Test
    void never_more_than_the_limit_whatever_becomes_of_renewals() {
        for (long seed = 0; seed < Integer.getInteger("levee.permits.seeds", 30); seed++) {
            new Faults(seed).run();
        }
    }

    private static final class Faults {
        private static final int LIMIT = 7;
        private final long seed;
        private final Random random;
        private final ManualTime time = new ManualTime();
        private final MemoryPermitStore store = new MemoryPermitStore(time::nanoTime);
        private final Map<SharedBulkhead, List<Long>> live = new HashMap<>();
        private final List<PermitRequest> copies = new ArrayList<>();
        private int most;

        Faults(long seed) {
            this.seed = seed;
            this.random = new Random(seed);
            time.seed(seed);
        }

        void run() {
            store.be(this::carry);
            for (int i = 0; i < 3; i++) {
                live.put(SharedBulkhead.of("pool", LIMIT, store, time.environment()), new ArrayList<>());
            }
            for (int i = 0; i < 600; i++) {
                for (Map.Entry<SharedBulkhead, List<Long>> each : live.entrySet()) {
                    act(each.getKey(), each.getValue());
                }
                int flying = live.keySet().stream()
                        .mapToInt(SharedBulkhead::inFlight)
                        .sum();
                most = Math.max(most, flying);
                assertThat(flying)
                        .as("seed %d, step %d: %s", seed, i, live.keySet())
                        .isLessThanOrEqualTo(LIMIT);
                time.advance(Duration.ofMillis(random.nextInt(120)));
            }
            assertThat(most).as("seed %d", seed).isPositive();
        }

        /** Calls last less than two thirds of a lease, in steps: all have ended after two of them without a renewal. */
        private void act(SharedBulkhead bulkhead, List<Long> stamps) {
            int wish = random.nextInt(3);
            while (!stamps.isEmpty() && (random.nextInt(3) > 0 || bulkhead.leased() == 0)) {
                bulkhead.exit(stamps.remove(0), 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
            }
            for (int i = 0; i < wish; i++) {
                long stamp = bulkhead.tryEnter(time.nanoTime());
                if (stamp != Gate.REFUSED) {
                    stamps.add(stamp);
                }
            }
        }

        private CompletableFuture<PermitLease> carry(PermitRequest request) {
            copies.add(request);
            int fate = random.nextInt(10);
            if (fate == 0) {
                return CompletableFuture.failedFuture(new IllegalStateException("lost before"));
            } else if (fate == 1) {
                store.answer(request);
                return CompletableFuture.failedFuture(new IllegalStateException("lost after"));
            } else if (fate == 2) {
                store.answer(request);
                return new CompletableFuture<>();
            } else if (fate == 3) {
                store.answer(copies.get(copies.size() - 1 - random.nextInt(Math.min(copies.size(), 6))));
            } else if (fate == 4) {
                CompletableFuture<PermitLease> late = new CompletableFuture<>();
                time.environment()
                        .schedule(
                                () -> late.complete(store.answer(request).join()),
                                Duration.ofMillis(random.nextInt(5000)).toNanos());
                return late;
            }
            return store.answer(request);
        }
    }

    @Nested
    class AsAGate extends GateContract {
        @Override
        protected Gate newGate(Environment environment, OutcomeRule rule) {
            return made(environment, 0);
        }

        @Override
        protected long held(Gate gate) {
            return ((SharedBulkhead) gate).inFlight();
        }
    }

    @Nested
    class AsAGateWithQueue extends GateContract {
        @Override
        protected Gate newGate(Environment environment, OutcomeRule rule) {
            return made(environment, 4);
        }

        @Override
        protected long held(Gate gate) {
            return (long) ((SharedBulkhead) gate).inFlight() + ((SharedBulkhead) gate).waiting();
        }
    }

    /**
     * A bulkhead with a lease for ever, whose own timers are on another time, so that those of calls can be counted.
     */
    private static SharedBulkhead made(Environment environment, int waiting) {
        PermitStore generous = request -> CompletableFuture.completedFuture(
                new PermitLease(100, 100, 1, 100, Duration.ofDays(100_000).toNanos() / 2, request.revision(), false));
        Environment apart = environment.toBuilder()
                .scheduler(new ManualTime().environment().scheduler())
                .executor(Runnable::run)
                .build();
        return SharedBulkhead.of(
                "pool", config -> config.maxConcurrent(100).queue(waiting, Duration.ofSeconds(1)), generous, apart);
    }
}

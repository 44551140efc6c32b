package dev.levee.core.idempotency;

import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.idempotency.IdempotencyStore.Status;
import dev.levee.core.idempotency.OutcomeCheck.Finding;
import dev.levee.core.testing.ManualTime;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;

/**
 * Random histories of calls that end in every way, crashes, late ends, repeats and time: no effect twice, no answer
 * lost.
 */
class IdempotencyModelTest {
    @Property
    void the_store_in_memory_answers_as_the_model_does(
            @ForAll("storeHistories") List<IdempotencyStoreModel.Step> steps) {
        ManualTime time = ManualTime.startingAt(Long.MAX_VALUE - 1_000);
        IdempotencyStoreModel.check(
                IdempotencyStore.inMemory(2, IdempotencyStoreContract.KEEP, time.environment()), time::advance, steps);
    }

    @Provide
    Arbitrary<List<IdempotencyStoreModel.Step>> storeHistories() {
        return IdempotencyStoreModel.histories();
    }

    record FullStep(FullWhat what, int key, Duration passes) {}

    enum FullWhat {
        CLAIM,
        RECORD,
        FORGET,
        UNKNOWN,
        PASS
    }

    @Provide
    Arbitrary<List<FullStep>> fullHistories() {
        return Combinators.combine(
                        Arbitraries.frequency(
                                Tuple.of(6, FullWhat.CLAIM),
                                Tuple.of(2, FullWhat.RECORD),
                                Tuple.of(1, FullWhat.FORGET),
                                Tuple.of(3, FullWhat.UNKNOWN),
                                Tuple.of(2, FullWhat.PASS)),
                        Arbitraries.integers().between(0, 5),
                        Arbitraries.of(ofSeconds(1), ofMinutes(2), ofMinutes(6), ofMinutes(11)))
                .as(FullStep::new)
                .list()
                .ofMinSize(10)
                .ofMaxSize(80);
    }

    @Property
    void a_full_store_evicts_the_oldest_and_never_what_runs_or_has_just_become_unknown(
            @ForAll("fullHistories") List<FullStep> steps) {
        ManualTime time = ManualTime.startingAt(Long.MAX_VALUE - 1_000);
        FullStore model = new FullStore(
                IdempotencyStore.inMemory(3, Duration.ofDays(30), ofMinutes(10), time.environment()), time);
        steps.forEach(model::step);
    }

    /** What a store with three places does with six keys, each claimed for two minutes, written plainly. */
    private static final class FullStore {
        private final IdempotencyStore<String> store;
        private final ManualTime time;
        private final Map<String, Held> held = new LinkedHashMap<>();
        private Duration now = Duration.ZERO;
        private int owners;

        FullStore(IdempotencyStore<String> store, ManualTime time) {
            this.store = store;
            this.time = time;
        }

        private static final class Held {
            Status state = Status.OWNED;
            String owner = "";
            Duration since = Duration.ZERO;
            Duration leaseEnds = Duration.ZERO;
            boolean unknownBefore;
        }

        private void step(FullStep step) {
            String key = "k" + step.key;
            Held known = held.get(key);
            String owner = known == null ? "none" : known.owner;
            switch (step.what) {
                case CLAIM -> claim(key, known);
                case RECORD -> {
                    if (store.record(key, owner, "done", null) && known.state != Status.RECORDED) {
                        become(known, Status.RECORDED);
                        known.unknownBefore = false;
                    }
                }
                case FORGET -> {
                    store.forget(key, owner);
                    if (known != null && known.state != Status.RECORDED) {
                        held.remove(key);
                    }
                }
                case UNKNOWN -> {
                    if (store.unknown(key, owner)) {
                        unknown(known, now);
                    }
                }
                case PASS -> {
                    time.advance(step.passes);
                    now = now.plus(step.passes);
                }
            }
            time.advance(ofSeconds(1));
            now = now.plusSeconds(1);
            held.values().stream()
                    .filter(it -> it.state == Status.OWNED)
                    .filter(it -> it.leaseEnds.compareTo(now) <= 0)
                    .forEach(it -> unknown(it, it.leaseEnds));
        }

        private void become(Held known, Status state) {
            known.state = state;
            known.since = now;
        }

        private void unknown(Held known, Duration since) {
            known.state = Status.OWNED_UNKNOWN;
            known.since = known.unknownBefore ? known.since : since;
            known.unknownBefore = true;
        }

        private void claim(String key, Held known) {
            String owner = "owner " + ++owners;
            Status status =
                    store.claim(key, "print", owner, ofMinutes(2).toNanos()).status();
            if (known == null) {
                Optional<String> victim = held.size() < 3 ? Optional.of("none") : oldest();
                assertThat(status).isEqualTo(victim.isPresent() ? Status.OWNED : Status.FULL);
                victim.ifPresent(it -> {
                    held.remove(it);
                    Held added = new Held();
                    own(added, owner);
                    held.put(key, added);
                });
            } else if (known.state == Status.OWNED) {
                assertThat(status).isEqualTo(Status.IN_PROGRESS);
            } else {
                assertThat(status).isEqualTo(known.state);
                if (known.state == Status.OWNED_UNKNOWN) {
                    own(known, owner);
                }
            }
        }

        private void own(Held known, String owner) {
            known.state = Status.OWNED;
            known.owner = owner;
            known.leaseEnds = now.plus(ofMinutes(2));
        }

        private Optional<String> oldest() {
            return held.entrySet().stream()
                    .filter(it -> it.getValue().state == Status.RECORDED
                            || (it.getValue().state == Status.OWNED_UNKNOWN
                                    && it.getValue().since.plus(ofMinutes(10)).compareTo(now) <= 0))
                    .min(Comparator.comparing(it -> it.getValue().since))
                    .map(Map.Entry::getKey);
        }
    }

    enum What {
        CALL,
        WORK_SUCCEEDS,
        WORK_TIMES_OUT_BEFORE_ITS_EFFECT,
        WORK_TIMES_OUT_AFTER_ITS_EFFECT,
        WORK_IS_REFUSED,
        CALLER_CANCELS,
        PROCESS_CRASHES_BEFORE_THE_EFFECT,
        PROCESS_CRASHES_AFTER_THE_EFFECT,
        CRASHED_OWNER_RECORDS_LATE,
        MOMENT_PASSES,
        LEASE_PASSES
    }

    record Step(What what, int key, int process) {}

    @Provide
    Arbitrary<List<Step>> histories() {
        return Combinators.combine(
                        Arbitraries.of(What.class),
                        Arbitraries.integers().between(0, 1),
                        Arbitraries.integers().between(0, 1))
                .as(Step::new)
                .list()
                .ofMinSize(5)
                .ofMaxSize(80);
    }

    @Property
    void no_effect_happens_twice_and_every_call_is_answered(@ForAll("histories") List<Step> steps) {
        World world = new World();
        steps.forEach(world::step);
        world.end();
    }

    /** Two processes that share a store, and the other side, on which effects can be seen. */
    private static final class World {
        private final ManualTime time = new ManualTime();
        private final IdempotencyStore<String> store =
                IdempotencyStore.inMemory(100, Duration.ofDays(30), time.environment());
        private final Map<String, String> effects = new HashMap<>();
        private final List<Idempotency<String>> processes = new ArrayList<>();
        /** What runs now; each was started by the idempotency. */
        private final Map<String, List<CompletableFuture<String>>> work = new HashMap<>();

        private final Map<CompletableFuture<String>, String> calls = new HashMap<>();
        private final List<CompletableFuture<String>> inOrder = new ArrayList<>();
        private final Map<String, String> crashed = new HashMap<>();
        private int names;

        World() {
            for (int process = 0; process < 2; process++) {
                processes.add(Idempotency.of(
                        "p" + process,
                        store,
                        config -> config.lease(ofMinutes(1))
                                .maxWait(ofSeconds(20))
                                .check(key -> {
                                    String effect = effects.get(key);
                                    return effect == null ? Finding.notDone() : Finding.done(effect);
                                }),
                        time.environment()));
            }
        }

        void step(Step step) {
            String key = "k" + step.key;
            List<CompletableFuture<String>> running = work.computeIfAbsent(key, it -> new ArrayList<>());
            boolean runs = running.stream().anyMatch(it -> !it.isDone());
            CompletableFuture<String> first =
                    running.stream().filter(it -> !it.isDone()).findFirst().orElse(new CompletableFuture<>());
            switch (step.what) {
                case CALL -> {
                    CompletableFuture<String> call = processes.get(step.process).callAsync(key, "p", () -> {
                        CompletableFuture<String> started = new CompletableFuture<>();
                        running.add(started);
                        return started;
                    });
                    calls.put(call, key);
                    inOrder.add(call);
                }
                case WORK_SUCCEEDS -> {
                    if (runs) {
                        first.complete(effect(key));
                    }
                }
                case WORK_TIMES_OUT_BEFORE_ITS_EFFECT -> first.completeExceptionally(new SocketTimeoutException());
                case WORK_TIMES_OUT_AFTER_ITS_EFFECT -> {
                    if (runs) {
                        effect(key);
                        first.completeExceptionally(new SocketTimeoutException());
                    }
                }
                case WORK_IS_REFUSED -> first.completeExceptionally(new ConnectException());
                case CALLER_CANCELS ->
                    inOrder.stream().filter(it -> !it.isDone()).findFirst().ifPresent(it -> it.cancel(true));
                case PROCESS_CRASHES_BEFORE_THE_EFFECT -> crash(key, false);
                case PROCESS_CRASHES_AFTER_THE_EFFECT -> crash(key, true);
                case CRASHED_OWNER_RECORDS_LATE -> {
                    String owner = crashed.get(key);
                    if (owner != null && effects.containsKey(key)) {
                        store.record(key, owner, effects.get(key), null);
                    }
                }
                case MOMENT_PASSES -> time.advance(ofSeconds(2));
                case LEASE_PASSES -> {
                    // What runs longer than its lease breaks the agreement with the check: it ends before.
                    work.values()
                            .forEach(
                                    list -> list.forEach(it -> it.completeExceptionally(new SocketTimeoutException())));
                    time.advance(ofMinutes(1));
                    work.values()
                            .forEach(
                                    list -> list.forEach(it -> it.completeExceptionally(new SocketTimeoutException())));
                }
            }
            time.runReady();
            assertThat(work.values())
                    .allSatisfy(list -> assertThat(list.stream().filter(it -> !it.isDone()))
                            .as("runs at one time")
                            .hasSizeLessThanOrEqualTo(1));
        }

        private String effect(String key) {
            assertThat(effects).as("the effect of %s happened before", key).doesNotContainKey(key);
            String effect = "effect " + ++names;
            effects.put(key, effect);
            return effect;
        }

        private void crash(String key, boolean afterTheEffect) {
            String owner = "crashed " + ++names;
            Status status = store.claim(key, "p", owner, ofMinutes(1).toNanos()).status();
            boolean mayRun = status == Status.OWNED
                    || (status == Status.OWNED_UNKNOWN
                            && !effects.containsKey(key)
                            && store.renew(key, owner, ofMinutes(1).toNanos()));
            if (mayRun || status == Status.OWNED_UNKNOWN) {
                crashed.put(key, owner);
            }
            if (mayRun && afterTheEffect) {
                effect(key);
            }
        }

        void end() {
            for (int round = 0; round < 3; round++) {
                work.values().forEach(list -> list.forEach(it -> it.completeExceptionally(new ConnectException())));
                time.advance(ofMinutes(2));
            }
            time.advance(Duration.ofDays(1)); // longer than the longest pause of a check in the background
            calls.forEach((call, key) -> {
                assertThat(call).as("every call is answered").isDone();
                if (!call.isCompletedExceptionally()) {
                    assertThat(call.join()).isEqualTo(effects.get(key));
                }
            });
            assertThat(time.pendingTimers()).isZero();
            assertThat(processes)
                    .allSatisfy(it -> assertThat(((StoredIdempotency<String>) it).pendingCalls)
                            .isEmpty());
            for (int key = 0; key < 2; key++) {
                String recorded = processes.get(0).call("k" + key, "p", () -> "new");
                assertThat(recorded).isEqualTo(effects.getOrDefault("k" + key, "new"));
            }
        }
    }
}

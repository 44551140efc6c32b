package dev.levee.core.idempotency;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.idempotency.IdempotencyStore.Claim;
import dev.levee.core.idempotency.IdempotencyStore.Status;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;
import org.jspecify.annotations.Nullable;

/** What a store has to answer, written as plainly as possible; random histories are run beside it. */
public final class IdempotencyStoreModel {
    private static final Duration LEASE = Duration.ofMinutes(1);
    private static final Duration KEEP = IdempotencyStoreContract.KEEP;

    /** Never exactly to an end: a store may round. */
    private static final List<Duration> DURATIONS = List.of(
            Duration.ofSeconds(7),
            LEASE.minusSeconds(10),
            LEASE.plusSeconds(10),
            KEEP.minus(LEASE),
            KEEP.plus(LEASE).plusSeconds(1));

    private enum What {
        CLAIM,
        RENEW,
        RECORD,
        FORGET,
        UNKNOWN,
        PASS
    }

    /** One step: an owner does something to a key, or time passes. */
    public record Step(What what, String key, String owner, String fingerprint, Duration duration) {}

    private static final class Known {
        Status state = Status.OWNED; // OWNED: runs; OWNED_UNKNOWN: is being checked; RECORDED; null: unknown
        boolean unknown;
        String owner = "";
        String fingerprint = "";
        String result = "";
        Duration ends = Duration.ZERO;
    }

    private final IdempotencyStore<String> store;
    private final Consumer<Duration> pass;
    private final Map<String, Known> keys = new HashMap<>();
    /** Dropped by time alone; a store may notice that late, as long as no call claims the key. */
    private final Map<String, Known> expired = new HashMap<>();

    private Duration now = Duration.ZERO;

    private IdempotencyStoreModel(IdempotencyStore<String> store, Consumer<Duration> pass) {
        this.store = store;
        this.pass = pass;
    }

    /** Histories of up to 60 steps of three owners and two keys. */
    public static Arbitrary<List<Step>> histories() {
        Arbitrary<What> what = Arbitraries.frequency(
                Tuple.of(6, What.CLAIM),
                Tuple.of(1, What.RENEW),
                Tuple.of(2, What.RECORD),
                Tuple.of(1, What.FORGET),
                Tuple.of(2, What.UNKNOWN),
                Tuple.of(3, What.PASS));
        Arbitrary<String> fingerprint = Arbitraries.frequency(Tuple.of(9, "print"), Tuple.of(1, "another"));
        return Combinators.combine(
                        what,
                        Arbitraries.of("k", "l"),
                        Arbitraries.of("a", "b", "c"),
                        fingerprint,
                        Arbitraries.of(DURATIONS))
                .as(Step::new)
                .list()
                .ofMinSize(5)
                .ofMaxSize(60);
    }

    /** A history for tests that jqwik does not run. */
    public static List<Step> history(Random random) {
        List<What> kinds = List.of(
                What.CLAIM, What.CLAIM, What.CLAIM, What.RENEW, What.RECORD, What.FORGET, What.UNKNOWN, What.PASS);
        return Stream.generate(() -> new Step(
                        any(kinds, random),
                        any(List.of("k", "l"), random),
                        any(List.of("a", "b", "c"), random),
                        random.nextInt(10) == 0 ? "another" : "print",
                        any(DURATIONS, random)))
                .limit(60)
                .toList();
    }

    private static <T> T any(List<T> values, Random random) {
        return values.get(random.nextInt(values.size()));
    }

    /** Runs a history on an empty store and compares every answer. */
    public static void check(IdempotencyStore<String> store, Consumer<Duration> pass, List<Step> history) {
        IdempotencyStoreModel model = new IdempotencyStoreModel(store, pass);
        history.forEach(model::step);
    }

    private void step(Step step) {
        String key = step.key;
        String owner = step.owner;
        if (step.what != What.CLAIM && step.what != What.PASS && comesTooLate(step)) {
            return;
        }
        switch (step.what) {
            case CLAIM -> claim(step);
            case RENEW -> {
                Known owned = ownedBy(key, owner);
                if (owned != null) {
                    become(owned, Status.OWNED, false, LEASE);
                }
                assertThat(store.renew(key, owner, LEASE.toNanos()))
                        .as("%s", step)
                        .isEqualTo(owned != null);
            }
            case RECORD -> {
                Known owned = ownedBy(key, owner);
                Known before = live(key);
                boolean already = before != null && before.state == Status.RECORDED && before.owner.equals(owner);
                if (owned != null) {
                    become(owned, Status.RECORDED, false, KEEP);
                    owned.result = "by " + owner + " at " + now;
                }
                assertThat(store.record(key, owner, "by " + owner + " at " + now, null))
                        .as("%s", step)
                        .isEqualTo(owned != null || already);
            }
            case FORGET -> {
                boolean absent = live(key) == null;
                boolean owned = ownedBy(key, owner) != null;
                if (owned) {
                    keys.remove(key);
                }
                assertThat(store.forget(key, owner)).as("%s", step).isEqualTo(owned || absent);
            }
            case UNKNOWN -> {
                Known owned = ownedBy(key, owner);
                if (owned != null) {
                    become(owned, Status.OWNED_UNKNOWN, true, KEEP);
                }
                assertThat(store.unknown(key, owner)).as("%s", step).isEqualTo(owned != null);
            }
            case PASS -> {
                pass.accept(step.duration);
                now = now.plus(step.duration);
            }
        }
    }

    private void claim(Step step) {
        Known known = live(step.key);
        Claim<String> claim = store.claim(step.key, step.fingerprint, step.owner, LEASE.toNanos());
        Status expected;
        if (known == null) {
            Known fresh = new Known();
            fresh.owner = step.owner;
            fresh.fingerprint = step.fingerprint;
            keys.put(step.key, fresh);
            expired.remove(step.key);
            become(fresh, Status.OWNED, false, LEASE);
            expected = Status.OWNED;
        } else if (!known.fingerprint.equals(step.fingerprint)) {
            expected = Status.MISMATCH;
        } else if (known.state == Status.RECORDED) {
            expected = Status.RECORDED;
            assertThat(claim.result()).as("%s", step).isEqualTo(known.result);
        } else if (known.unknown) {
            known.owner = step.owner;
            become(known, Status.OWNED_UNKNOWN, false, LEASE);
            expected = Status.OWNED_UNKNOWN;
        } else {
            expected = known.owner.equals(step.owner) ? known.state : Status.IN_PROGRESS;
        }
        assertThat(claim.status()).as("%s", step).isEqualTo(expected);
    }

    private void become(Known known, Status state, boolean unknown, Duration lasts) {
        known.state = state;
        known.unknown = unknown;
        known.ends = now.plus(lasts);
    }

    private @Nullable Known ownedBy(String key, String owner) {
        Known known = live(key);
        return known == null || known.state == Status.RECORDED || !known.owner.equals(owner) ? null : known;
    }

    private @Nullable Known live(String key) {
        Known known = keys.get(key);
        if (known == null) {
            return null;
        }
        if (known.state != Status.RECORDED && !known.unknown && known.ends.compareTo(now) <= 0) {
            known.unknown = true;
            known.state = Status.OWNED_UNKNOWN;
            known.ends = known.ends.plus(KEEP);
        }
        if (known.ends.compareTo(now) <= 0) {
            keys.remove(key);
            expired.put(key, known);
            return null;
        }
        return known;
    }

    /** Its last owner comes after the time for which the key had to be kept: whatever the store answers is right. */
    private boolean comesTooLate(Step step) {
        Known known = live(step.key) == null ? expired.get(step.key) : null;
        return known != null && known.owner.equals(step.owner);
    }
}

package dev.levee.ratelimit.work;

import dev.levee.core.Environment;
import dev.levee.core.Policy;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.StackRoom;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The implementation of {@link WorkQueue}: takes items in.
 *
 * <p>The way of an item that is done at once is through {@link WorkRing} and a {@link WorkSlot}, and takes no lock.
 * Everything else is in the {@link WorkBook}, under its lock: retries, dead letters, an order by key, what a close
 * gives back. {@link WorkAttempts} makes the attempts, on threads that come and go in {@link WorkCrew}. See ADR 97 and
 * ADR 98.
 *
 * @param <T> the items
 */
final class BoundedWorkQueue<T> implements WorkQueue<T> {
    private final String name;
    private final WorkQueueConfig<T> config;
    private final Environment environment;
    private final @Nullable Function<? super T, ?> order;
    private final boolean ages;
    private final WorkRing ring;
    private final WorkBook<T> book;
    private final WorkSlots slots = new WorkSlots();
    private final WorkRefusals refusals;
    private final WorkWaiters waiters;
    private final WorkAttempts<T> attempts;
    private final WorkCrew<T> crew;

    BoundedWorkQueue(String name, WorkQueueConfig<T> config, WorkHandler<? super T> handler, Environment environment) {
        this.name = Require.name(name);
        this.config = Require.nonNull("config", config);
        Require.nonNull("handler", handler);
        this.environment = Require.nonNull("environment", environment);
        this.order = config.order();
        this.ages = config.ages();
        this.ring = new WorkRing(config.capacity(), ages);
        this.book = new WorkBook<>(ring, config);
        this.refusals = new WorkRefusals(name, config.capacity(), ring, environment);
        this.waiters = new WorkWaiters(ring, book.lock, environment, refusals, this::acceptedNanos, config.capacity());
        this.attempts = new WorkAttempts<>(name, config, handler, environment, book, slots, waiters);
        this.crew = attempts.crew();
    }

    // ---- Taking items in

    @Override
    public boolean offer(T item) {
        Object element = element(item);
        if (waiters.isEmpty() && ring.put(element, acceptedNanos()) == WorkRing.ACCEPTED) {
            crew.wake();
            return true;
        }
        refusals.count();
        return false;
    }

    @Override
    public void submit(T item) {
        Object element = element(item);
        int outcome = put(element);
        if (outcome == WorkRing.CLOSED) {
            throw refusals.closed();
        }
        if (outcome == WorkRing.FULL) {
            switch (config.whenFull()) {
                case BLOCK -> {
                    waiters.await(element, config.maxWaitNanos());
                    crew.wake();
                }
                case CALLER_RUNS -> handleOnCaller(item, element);
                default -> throw refusals.full();
            }
        }
    }

    @Override
    public CompletableFuture<Void> submitAsync(T item) {
        Require.nonNull("item", item);
        try {
            Object element = element(item);
            int outcome = put(element);
            if (outcome == WorkRing.ACCEPTED) {
                return CompletableFuture.completedFuture(null);
            }
            if (outcome == WorkRing.CLOSED) {
                throw refusals.closed().detached();
            }
            if (config.whenFull() == WhenFull.REFUSE) {
                throw refusals.full().detached();
            }
            CompletableFuture<Void> future = waiters.awaitAsync(element, config.maxWaitNanos());
            crew.wake();
            return future;
        } catch (Throwable thrown) { // by a key of the user
            return CompletableFuture.failedFuture(thrown);
        }
    }

    private int put(Object element) {
        if (!waiters.isEmpty() && !ring.isClosed()) {
            return WorkRing.FULL; // it must not overtake those that wait
        }
        int outcome = ring.put(element, acceptedNanos());
        if (outcome == WorkRing.ACCEPTED) {
            crew.wake();
        }
        return outcome;
    }

    /** Returns what goes into the ring: the item, or with an order or carriers its entry. Calls code of the user. */
    private Object element(T item) {
        StackRoom.require();
        Require.nonNull("item", item);
        return order == null && !environment.carriesContext() ? item : entry(item, null);
    }

    private WorkEntry<T> entry(T item, @Nullable Thread caller) {
        WorkLane<T> lane = order == null ? null : new WorkLane<>(Require.nonNull("key of the item", order.apply(item)));
        WorkEntry<T> entry = new WorkEntry<>(attempts, item, lane, caller);
        entry.context = environment.carriesContext() ? environment.capture() : null;
        return entry;
    }

    private long acceptedNanos() {
        return ages ? environment.clock().nanoTime() : 0;
    }

    /** Handles an item on the thread that has submitted it, which waits until the item has ended. */
    @SuppressWarnings("unchecked") // an entry of this queue
    private void handleOnCaller(T item, Object element) {
        WorkEntry<T> entry = new WorkEntry<>(
                attempts,
                item,
                element instanceof WorkEntry<?> own ? ((WorkEntry<T>) own).lane : null,
                Thread.currentThread());
        entry.acceptedNanos = acceptedNanos();
        WorkSlot slot = slots.claim();
        boolean accepted = false;
        book.lock.lock();
        try {
            if (!ring.isClosed() && !crew.isPaused()) {
                accepted = book.enterCaller(entry, slot, attempts);
            }
        } finally {
            book.lock.unlock();
            if (!accepted) {
                slot.release();
            }
        }
        crew.wake(); // what was in the ring may have become ready
        if (!accepted) {
            throw ring.isClosed() ? refusals.closed() : crew.isPaused() ? refusals.full() : refusals.keyBusy();
        }
        if (!attempts.handle(slot, false)) {
            slot.release();
        }
        awaitEnd(entry);
    }

    /** Makes the further attempts of an item on the thread that has submitted it. */
    private void awaitEnd(WorkEntry<T> entry) {
        boolean interrupted = false;
        while (entry.state != WorkEntry.ENDED) {
            if (Thread.interrupted()) {
                interrupted = true;
            }
            if (entry.state == WorkEntry.READY && beginOnCaller(entry)) {
                continue;
            }
            if (interrupted && attempts.buryIfWaiting(entry)) {
                break;
            }
            try {
                environment.scheduler().park(this, Nanos.NEVER);
            } catch (Throwable thrown) { // of a user: nothing can be waited for
                attempts.buryIfWaiting(entry);
                throw thrown;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean beginOnCaller(WorkEntry<T> entry) {
        WorkSlot slot = slots.claim();
        boolean begun;
        book.lock.lock();
        try {
            begun = entry.state == WorkEntry.READY;
            if (begun) {
                book.begin(entry, slot);
            }
        } finally {
            book.lock.unlock();
        }
        if (!begun || !attempts.handle(slot, false)) {
            slot.release();
        }
        return begun;
    }

    @Override
    public boolean runNext() {
        StackRoom.require();
        WorkSlot slot = slots.claim();
        boolean kept = false;
        try {
            if (!attempts.take(slot)) {
                return false;
            }
            kept = attempts.handle(slot, false);
            return true;
        } finally {
            if (!kept) {
                slot.release();
            }
        }
    }

    @Override
    public void pause() {
        crew.pause();
    }

    @Override
    public void resume() {
        crew.resume();
    }

    // ---- Dead letters

    @Override
    public List<DeadLetter<T>> deadLetters() {
        return book.locked(book.letters::all);
    }

    @Override
    public boolean replay(DeadLetter<T> letter) {
        Require.nonNull("letter", letter);
        Object element = element(letter.item());
        long now = acceptedNanos();
        boolean accepted = waiters.isEmpty()
                && book.locked(() -> book.letters.has(letter)
                        && ring.put(element, now) == WorkRing.ACCEPTED
                        && book.letters.remove(letter));
        if (accepted) {
            attempts.logAgain();
            crew.wake();
        }
        return accepted;
    }

    @Override
    public int replayAll() {
        int replayed = 0;
        for (DeadLetter<T> letter : deadLetters()) {
            if (replay(letter)) {
                replayed++;
            } else if (book.locked(() -> book.letters.has(letter))) {
                break; // full, or closed
            }
        }
        return replayed;
    }

    @Override
    public boolean discard(DeadLetter<T> letter) {
        Require.nonNull("letter", letter);
        return book.locked(() -> book.letters.remove(letter));
    }

    @Override
    public int discardAll() {
        attempts.logAgain();
        return book.locked(book.letters::clear);
    }

    // ---- What there is, and the end

    @Override
    public WorkCounts counts() {
        return book.locked(book::counts);
    }

    @Override
    public WorkReport<T> close(Duration timeout) {
        return attempts.closing().close(Nanos.of(Require.notNegative("timeout", timeout)));
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink);
        WorkCounts counts = counts();
        long now = acceptedNanos();
        long kept = book.locked(() -> (long) book.letters.size());
        long dropped = book.locked(book.letters::dropped);
        long age = ages ? book.locked(() -> book.oldestAgeNanos(now)) : 0;
        sink.value(name, WorkMetrics.WORK_WAITING, (double) counts.waiting());
        sink.value(name, WorkMetrics.WORK_RUNNING, (double) counts.running());
        sink.value(name, WorkMetrics.WORK_ACCEPTED, (double) counts.accepted());
        sink.value(name, WorkMetrics.WORK_DONE, (double) counts.done());
        sink.value(name, WorkMetrics.WORK_RETRIED, (double) attempts.retried());
        sink.value(name, WorkMetrics.WORK_POSTPONED, (double) attempts.postponed());
        sink.value(name, WorkMetrics.WORK_DEAD, (double) counts.deadLettered());
        sink.value(name, WorkMetrics.WORK_DEAD_KEPT, (double) kept);
        sink.value(name, WorkMetrics.WORK_DEAD_DROPPED, (double) dropped);
        sink.value(name, WorkMetrics.WORK_RETURNED, (double) counts.returned());
        sink.value(name, WorkMetrics.WORK_REFUSED, (double) refusals.sum());
        if (ages) {
            sink.value(name, WorkMetrics.WORK_OLDEST_AGE, (double) age);
        }
    }

    /** Returns how many keys are held, for tests. */
    int keys() {
        return book.locked(book::keys);
    }

    @Override
    public String toString() {
        return Policy.Kind.QUEUE.label() + " \"" + name + "\" of " + config.capacity() + " items, " + config.workers()
                + " workers";
    }
}

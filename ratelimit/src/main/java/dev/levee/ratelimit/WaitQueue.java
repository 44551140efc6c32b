package dev.levee.ratelimit;

import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.StackRoom;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * The calls that wait for permits of a limiter, first come first served.
 *
 * <pre>
 *   head                                               tail
 *  +----------+----------+----------+----------+----------+
 *  | 5, 10 ms | 1, 12 ms | 1, 14 ms | 3, 20 ms | 1, 22 ms |  <-- calls that come
 *  +----------+----------+----------+----------+----------+
 *    takes when its       planned, nothing taken               plan: the state of the limiter after the tail
 *    turn comes
 * </pre>
 *
 * <p><b>Invariants.</b>
 *
 * <ul>
 *   <li>Nothing is taken before its turn, so one that gives up leaves nothing to be given back, and those behind it
 *       move up.
 *   <li>{@link #occupied} is set before the head asks for its permits, and while it is set no other call takes any.
 *       Those that give something back look at it afterwards, so either the head sees what came back or they see it.
 *   <li>While there is a head, something runs when it is due: a thread that is parked until then, or the timer.
 *       Whatever runs serves all that are due, so the rate does not depend on how many wake-ups there are.
 *   <li>A call that is in the queue can be served in time by what is known. When that changes, those that cannot are
 *       refused at once.
 * </ul>
 *
 * <p>The lock is held for a few steps, or for a walk over the queue after a change of plan; no user code runs under it
 * but the clock. Waiters are told, and the timer is set, when it is free. See ADR 85.
 */
final class WaitQueue {
    /** The answer that a call is in the queue. */
    static final long QUEUED = -1;

    /** By so much turns may be later than planned before all are planned anew: what a timer is late. */
    private static final long MAX_DRIFT_NANOS = 1_000_000;

    private final Object blocker;
    private final LongFunction<Forecast> planner;
    private final Environment environment;
    private final NanoClock clock;
    private final int maxWaiting;
    private final ReentrantLock lock = new ReentrantLock();
    private final TurnTimer timer;

    /** Whether a call waits or is about to. Read by every call. */
    volatile boolean occupied;

    private @Nullable Waiter head;
    private @Nullable Waiter tail;

    /** How many wait. While it is not zero no other call takes anything. */
    private volatile int size;

    /** The state of the limiter after the tail was served, or null if it must be made anew. */
    private @Nullable Forecast plan;

    /** The turn of the tail by the plan. */
    private long planNanos;

    /** Calls that have taken some permits and given them back, of which others are to be told when the lock is free. */
    private final Queue<Need> takenInPart = new ConcurrentLinkedQueue<>();

    /** Whether turns can be earlier than by the plan, because something was given back. */
    private boolean late;

    WaitQueue(Object blocker, LongFunction<Forecast> planner, Environment environment, int maxWaiting) {
        this.blocker = blocker;
        this.planner = planner;
        this.environment = environment;
        this.clock = environment.clock();
        this.maxWaiting = maxWaiting;
        this.timer = new TurnTimer(environment, this::serveDue);
    }

    int size() {
        return size;
    }

    /** Takes permits for a call that does not wait, unless a call waits; or returns how long it would have to. */
    long tryTake(Need need) {
        StackRoom.require();
        long answer;
        long takenNanos;
        Waiter ended;
        lock.lock();
        try {
            long now = clock.nanoTime();
            takenNanos = now;
            ended = serve(now);
            answer = head == null ? take(need, now) : plannedWait(need, 0, now);
        } finally {
            occupied = head != null;
            lock.unlock();
        }
        try {
            settle(ended);
        } catch (Throwable noTimer) {
            if (answer == 0) {
                need.giveBack(clock.nanoTime(), takenNanos);
            }
            throw noTimer;
        }
        return answer;
    }

    private long take(Need need, long now) {
        long wait = need.take(now);
        if (wait != 0 && need.hasTakenInPart()) {
            takenInPart.add(need);
        }
        return wait;
    }

    /**
     * Admits a call, or puts it into the queue, or refuses it if its turn would come too late or the queue is full.
     *
     * @param maxWaitNanos how long it may wait, from 0 to {@link Nanos#NEVER}
     * @param leftNanos how long it is until its call must have begun
     * @return 0 if it was admitted, {@link #QUEUED}, or how long it would have to wait
     */
    long enter(Waiter waiter, long maxWaitNanos, long leftNanos) {
        StackRoom.require();
        long answer;
        Waiter ended = null;
        lock.lock();
        try {
            long now = clock.nanoTime();
            long boundNanos = Math.min(maxWaitNanos, leftNanos - 1); // at the end itself it is too late to begin
            waiter.untilNanos = now + boundNanos;
            waiter.endNanos = now + leftNanos;
            occupied = true;
            try {
                waiter.need.watch(this, true);
                ended = serve(now);
                answer = admitOrAdd(waiter, boundNanos, now);
            } finally {
                if (!waiter.isWaiting()) {
                    waiter.need.watch(this, false);
                }
                occupied = head != null;
            }
        } finally {
            lock.unlock();
        }
        try {
            settle(ended);
        } catch (Throwable noTimer) {
            if (!leave(waiter) && waiter.state == Waiter.ADMITTED) {
                waiter.need.giveBack(clock.nanoTime(), waiter.takenNanos);
            }
            throw noTimer;
        }
        return answer;
    }

    private long admitOrAdd(Waiter waiter, long maxNanos, long now) {
        long wait;
        if (head == null) {
            wait = take(waiter.need, now);
            if (wait == 0) {
                waiter.takenNanos = now;
                waiter.state = Waiter.ADMITTED;
                return 0;
            }
            plan = null;
        } else {
            wait = plannedWait(waiter.need, maxNanos, now);
        }
        waiter.retryAfterNanos = wait;
        if (wait > maxNanos || wait >= Nanos.NEVER || size >= maxWaiting) {
            return wait;
        }
        waiter.need.plan(planned(now), now + wait);
        planNanos = now + wait;
        waiter.planned(planNanos);
        append(waiter);
        if (head == waiter) {
            watch(waiter, planNanos);
        }
        return QUEUED;
    }

    /** Returns how long a call that comes now would have to wait behind all others. Takes nothing. */
    long waitBehindAll(Need need) {
        StackRoom.require();
        lock.lock();
        try {
            long now = clock.nanoTime();
            return head == null ? need.peek(now) : plannedWait(need, 0, now);
        } finally {
            lock.unlock();
        }
    }

    /** Returns how long a call has to wait behind others: never 0, though a plan may be earlier than timers are. */
    private long plannedWait(Need need, long maxNanos, long now) {
        if (need.isTooMuch()) {
            return Nanos.NEVER;
        }
        long wait = wait(planned(now), need, now);
        if ((late && wait > maxNanos) || wait >= Nanos.NEVER) { // never, where one of several was replaced
            plan = null;
            wait = wait(planned(now), need, now);
        }
        return Math.max(1, wait);
    }

    private long wait(Forecast behind, Need need, long now) {
        long from = planNanos - now > 0 ? planNanos : now;
        return Nanos.add(from - now, need.earliest(behind, from));
    }

    /**
     * Returns the plan, made anew if there is none. A waiter whose turn is never, since a change, keeps its old one.
     */
    private Forecast planned(long now) {
        Forecast made = plan;
        if (made == null) {
            made = planner.apply(now);
            planNanos = now;
            for (Waiter next = head; next != null; next = next.after) {
                long wait = next.need.earliest(made, planNanos);
                if (wait < Nanos.NEVER) {
                    planNanos += wait;
                    next.need.plan(made, planNanos);
                    next.planned(planNanos);
                }
            }
            plan = made;
            late = false;
        }
        return made;
    }

    /**
     * Admits all that are due, and refuses those that cannot be served in time.
     *
     * @return those whose wait has ended, linked by {@link Waiter#after}
     */
    private @Nullable Waiter serve(long now) {
        Waiter ended = null;
        Waiter lastEnded = null;
        while (head != null) {
            Waiter next = head;
            long wait = next.endNanos - now <= 0 ? Nanos.NEVER : take(next.need, now);
            if (wait == 0) {
                next.takenNanos = now;
                next.state = Waiter.ADMITTED;
                if (now - next.plannedNanos() > 0 && !next.need.isSameSpan(next.plannedNanos(), now)) {
                    plan = null; // those behind it are planned with permits of a window that has begun meanwhile
                }
            } else if (now + wait - next.untilNanos > 0 || wait >= Nanos.NEVER) {
                boolean isEnded = next.endNanos - now <= 0;
                next.retryAfterNanos = isEnded ? Math.max(1, next.need.peek(now)) : wait;
                next.state = Waiter.REFUSED;
                late = true;
            } else {
                long drift = now + wait - next.plannedNanos();
                watch(next, now + wait);
                if (drift > MAX_DRIFT_NANOS || plan == null) {
                    plan = null;
                    Waiter hopeless = refuseHopeless(now);
                    if (ended == null) {
                        ended = hopeless;
                    } else if (lastEnded != null) {
                        lastEnded.after = hopeless;
                    }
                    if (head != null && head != next) { // by a nanosecond: a plan rounds up
                        watch(head, head.turnNanos());
                    }
                }
                break;
            }
            remove(next);
            if (lastEnded == null) {
                ended = next;
            } else {
                lastEnded.after = next;
            }
            lastEnded = next;
        }
        if (head == null) {
            plan = null;
            timer.wantNone();
        }
        return ended;
    }

    /**
     * Plans all anew, and takes out those that cannot be served in time, each of which lets those behind it move up.
     */
    private @Nullable Waiter refuseHopeless(long now) {
        Waiter ended = null;
        Forecast made = planner.apply(now);
        long at = now;
        for (Waiter next = head; next != null; ) {
            Waiter following = next.after;
            long wait = next.need.earliest(made, at);
            if (wait >= Nanos.NEVER || at + wait - next.untilNanos > 0) {
                next.retryAfterNanos = Nanos.add(at - now, wait);
                next.state = Waiter.REFUSED;
                remove(next);
                next.after = ended;
                ended = next;
            } else {
                at += wait;
                next.need.plan(made, at);
                next.planned(at);
            }
            next = following;
        }
        plan = made;
        planNanos = at;
        late = false;
        return ended;
    }

    /** Sees to it that something runs when the head is due. */
    private void watch(Waiter first, long dueNanos) {
        first.due(dueNanos);
        if (first.hasThread()) {
            timer.wantNone();
        } else {
            timer.want(dueNanos);
        }
    }

    /**
     * Takes a call out of the queue.
     *
     * @return whether it was waiting
     */
    boolean leave(Waiter waiter) {
        StackRoom.require();
        Waiter ended = null;
        lock.lock();
        try {
            if (!waiter.isWaiting()) {
                return false;
            }
            waiter.state = Waiter.LEFT;
            boolean wasHead = waiter == head;
            remove(waiter);
            late = true;
            if (wasHead) {
                ended = serve(clock.nanoTime());
            }
            occupied = head != null;
        } finally {
            lock.unlock();
        }
        settle(ended);
        return true;
    }

    /** Serves those that are due. To be called when a turn has come, and when something was given back. */
    void serveDue() {
        serveAfter(() -> {});
    }

    /**
     * Makes a change that may move turns in any direction, and plans all anew.
     *
     * @param change runs under the lock
     */
    void serveAfter(Runnable change) {
        StackRoom.require();
        Waiter ended;
        lock.lock();
        try {
            change.run();
            ended = serve(clock.nanoTime());
            occupied = head != null;
        } finally {
            lock.unlock();
        }
        settle(ended);
    }

    /** Forgets the plan, for {@link #serveAfter}: turns may be later from now on. */
    void planAnew() {
        plan = null;
    }

    /** Notes that something was given back, for {@link #serveAfter}: turns may be earlier from now on. */
    void movesUp() {
        late = true;
    }

    /** Returns how long it is until the turn of a call by the plan, which is made anew if turns may be earlier. */
    long nanosUntilTurn(Waiter waiter) {
        StackRoom.require();
        lock.lock();
        try {
            if (!waiter.isWaiting()) {
                return 0;
            }
            long now = clock.nanoTime();
            if (late) {
                plan = null;
            }
            planned(now);
            return Math.max(0, waiter.turnNanos() - now);
        } finally {
            lock.unlock();
        }
    }

    /** Parks the thread of a call until its wait has ended. */
    void await(Waiter waiter) throws InterruptedException {
        while (waiter.isWaiting()) {
            long left = waiter.parkedNanos() - clock.nanoTime();
            if (left <= 0) {
                left = turnHasCome(waiter);
                if (!waiter.isWaiting()) {
                    return;
                }
            }
            environment.scheduler().park(blocker, left);
            if (Thread.interrupted()) {
                if (leave(waiter)) {
                    throw new InterruptedException();
                }
                // The permits came first: they are used, and the interrupt is left to what follows.
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    /** Serves those that are due, and returns how long the thread is to be parked if it is not among them. */
    private long turnHasCome(Waiter waiter) {
        serveDue();
        lock.lock();
        try {
            return waiter == head ? Math.max(1, waiter.parkedNanos() - clock.nanoTime()) : MAX_DRIFT_NANOS;
        } finally {
            lock.unlock();
        }
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // written under the lock only
    private void append(Waiter waiter) {
        waiter.state = Waiter.WAITING;
        waiter.before = tail;
        waiter.after = null;
        if (tail == null) {
            head = waiter;
        } else {
            tail.after = waiter;
        }
        tail = waiter;
        size++;
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // written under the lock only
    private void remove(Waiter waiter) {
        Waiter before = waiter.before;
        Waiter after = waiter.after;
        if (before == null) {
            head = after;
        } else {
            before.after = after;
        }
        if (after == null) {
            tail = before;
        } else {
            after.before = before;
        }
        waiter.before = null;
        waiter.after = null;
        size--;
        waiter.need.watch(this, false);
    }

    /** Tells those whose wait has ended, and sets the timer; when the lock is free. */
    private void settle(@Nullable Waiter ended) {
        for (Waiter next = ended; next != null; ) {
            Waiter following = next.after;
            next.after = null;
            next.tell();
            next = following;
        }
        timer.apply();
        for (Need need; (need = takenInPart.poll()) != null; ) {
            need.gaveBack();
        }
    }
}

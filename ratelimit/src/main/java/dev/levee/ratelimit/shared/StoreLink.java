package dev.levee.ratelimit.shared;

import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way of a process to its store: requests that come while batches are on their way go together with the next one,
 * in the order in which they came; and the breaker.
 *
 * <pre>{@code
 *          answer                          no answer, error
 * +---> works ------------------------------------------> outage <---+
 * |       ^                                                  |       | not answered: twice the pause
 * |       '---- all that was not answered is answered -- probe ------'
 * }</pre>
 *
 * <p>A batch that was not answered may have been carried out. It is sent again, the same, by the probes; the store
 * answers again what it has carried out. If that takes longer than the store remembers, what was used is charged anew
 * and what came back is forgotten: in doubt twice, never not at all. See ADR 144.
 *
 * <p>The lock is held for a few steps, and no method of a quota is called under it.
 */
final class StoreLink {
    private static final Logger LOG = LoggerFactory.getLogger(SharedLimits.class);
    private static final long MIN_PAUSE_NANOS = 100_000_000;
    private static final long MAX_PAUSE_NANOS = 5_000_000_000L;
    private static final AtomicInteger LINKS = new AtomicInteger();

    private final String name;
    private final QuotaStore store;
    final Environment environment;
    private final NanoClock clock;
    private final String node;
    final long timeoutNanos;
    private final int maxBatch;
    private final int maxInFlight;
    private final ReentrantLock lock = new ReentrantLock();
    private final Deque<SharedQuota> queue = new ArrayDeque<>();

    /** Batches whose answer is not known, in the order in which they failed; only in an outage. */
    private final Deque<SentBatch> unanswered = new ArrayDeque<>();

    /** What has to be charged when the outage is over. */
    private final Set<SharedQuota> charged = new LinkedHashSet<>();

    /** The keys that are on their way. */
    private final TwinQuotas twins = new TwinQuotas();

    private int inFlight;
    private long pauseNanos;
    private @Nullable SharedQuota asked;
    private boolean isClosed;

    /** Whether the store is taken to be gone. Read by every call that cannot be decided locally. */
    private volatile boolean out;

    /** When it is asked again. */
    private volatile long probeNanos;

    private final AtomicLong sequence = new AtomicLong();

    /** Whether a probe could not be planned. */
    private final AtomicBoolean probeIsMissing = new AtomicBoolean();

    final LongAdder trips = new LongAdder();
    final LongAdder requests = new LongAdder();
    final LongAdder failures = new LongAdder();

    StoreLink(String name, QuotaStore store, SharedLimits.Delivery delivery, Environment environment) {
        this.name = name;
        this.store = store;
        this.environment = environment;
        this.clock = environment.clock();
        this.timeoutNanos = Nanos.of(delivery.timeout());
        this.maxBatch = delivery.maxBatch();
        this.maxInFlight = delivery.maxInFlight();
        this.node = Long.toHexString(environment.random().nextLong())
                + Long.toHexString(environment.random().nextLong())
                + Integer.toHexString(LINKS.incrementAndGet()); // of two environments with one seed
    }

    boolean isOut() {
        return out;
    }

    /** Returns for how long a call is refused because of the outage, from 1. */
    long outageNanos(long nowNanos) {
        return Math.max(1, probeNanos - nowNanos);
    }

    void check(SharedPlan plan) {
        store.check(plan.terms.limit());
    }

    /** Sends a request of a quota soon, or tells it of the outage. The quota asks once until it is answered. */
    void submit(SharedQuota quota) {
        boolean isOut;
        lock.lock();
        try {
            isOut = out;
            if (!isOut) {
                queue.add(quota);
            }
        } finally {
            lock.unlock();
        }
        if (isOut) {
            quota.outage(true);
            if (probeIsMissing.compareAndSet(true, false)) {
                scheduleProbe();
            }
        } else {
            sendAll();
        }
    }

    /** Has a quota charged for what it admits in an outage, when that is over. */
    void chargeAfter(SharedQuota quota) {
        boolean isOut;
        lock.lock();
        try {
            isOut = out;
            if (isOut) {
                charged.add(quota);
            }
        } finally {
            lock.unlock();
        }
        if (!isOut) {
            quota.wantMore();
        }
    }

    /** A quota is forgotten: it is not charged any more. */
    void forget(SharedQuota quota) {
        lock.lock();
        try {
            charged.remove(quota);
        } finally {
            lock.unlock();
        }
    }

    private void sendAll() {
        while (true) {
            List<SharedQuota> quotas;
            lock.lock();
            try {
                if (out || inFlight >= maxInFlight || queue.isEmpty()) {
                    return;
                }
                quotas = nextQuotas();
                if (quotas.isEmpty()) {
                    return;
                }
                inFlight++;
            } finally {
                lock.unlock();
            }
            send(firstBatch(quotas));
        }
    }

    /** Takes those that are asked for next; under the lock. */
    private List<SharedQuota> nextQuotas() {
        List<SharedQuota> quotas = new ArrayList<>(Math.min(queue.size(), maxBatch));
        Iterator<SharedQuota> each = queue.iterator();
        while (quotas.size() < maxBatch && each.hasNext()) {
            SharedQuota next = each.next();
            if (twins.begin(next)) {
                quotas.add(next);
                each.remove();
            }
        }
        return quotas;
    }

    private SentBatch firstBatch(List<SharedQuota> quotas) {
        SentBatch made = null;
        try {
            made = newBatch(quotas);
            return made;
        } finally {
            if (made == null) { // no memory, or no stack: the next requests go all the same
                lock.lock();
                try {
                    inFlight--;
                    twins.end(quotas);
                } finally {
                    lock.unlock();
                }
            }
        }
    }

    private SentBatch newBatch(List<SharedQuota> quotas) {
        boolean isMade = false;
        try {
            long now = clock.nanoTime();
            List<QuotaRequest> built = new ArrayList<>(quotas.size());
            quotas.forEach(quota -> built.add(quota.request(now)));
            SentBatch made = new SentBatch(quotas, new QuotaBatch(node, sequence.incrementAndGet(), built), now);
            requests.add(built.size());
            isMade = true;
            return made;
        } finally {
            if (!isMade) { // no quota waits for what is never sent
                tellAll(quotas, SharedQuota::dropped);
            }
        }
    }

    private void send(SentBatch batch) {
        trips.increment();
        int attempt = batch.attempt;
        try {
            // Not on the thread of the timers: what follows may ask the store.
            batch.timer = environment.schedule(
                    () -> environment.handOver(() -> failed(
                            batch, attempt, new TimeoutException("no answer within " + Nanos.text(timeoutNanos)))),
                    timeoutNanos);
            CompletableFuture<List<QuotaGrant>> answer = store.take(batch.batch);
            batch.isAsking(answer);
            answer.whenComplete((grants, error) -> {
                if (error != null) {
                    failed(batch, attempt, error);
                } else {
                    answered(batch, attempt, grants);
                }
            });
        } catch (Throwable thrown) {
            failed(batch, attempt, thrown);
        }
    }

    private void answered(SentBatch batch, int attempt, @Nullable List<QuotaGrant> grants) {
        int answers = grants == null
                ? 0
                : (int) grants.stream().filter(Objects::nonNull).count();
        if (grants == null || answers != batch.quotas.size() || grants.size() != answers) {
            failed(
                    batch,
                    attempt,
                    new IllegalStateException(answers + " answers to " + batch.quotas.size() + " requests"));
            return;
        }
        boolean isProbe;
        boolean wasPrompt;
        lock.lock();
        try {
            wasPrompt = batch.attempt == 0;
            if (batch.isSettled) {
                return;
            }
            batch.isSettled = true;
            twins.end(batch.quotas);
            if (batch.hasFailed) {
                unanswered.remove(batch);
            } else {
                inFlight--;
            }
            isProbe = batch.isProbing;
        } finally {
            lock.unlock();
        }
        batch.cancelTimer();
        long now = clock.nanoTime();
        int next = 0;
        while (next < grants.size()) {
            SharedQuota quota = batch.quotas.get(next);
            QuotaGrant grant = grants.get(next++);
            shielded(() -> quota.answered(grant, batch.sentNanos, now, wasPrompt));
        }
        if (isProbe) {
            probeWorked();
        } else {
            sendAll();
        }
    }

    /** Lets one quota take its news; what goes wrong there keeps no other from its own. */
    private void shielded(Runnable news) {
        try {
            news.run();
        } catch (Throwable thrown) { // no memory, or a part of the environment
            SafeLog.warn(LOG, "limits \"{}\": an answer of the store could not be taken in", name, thrown);
        }
    }

    private void tellAll(Iterable<SharedQuota> quotas, Consumer<SharedQuota> news) {
        for (SharedQuota quota : quotas) {
            shielded(() -> news.accept(quota));
        }
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // written under the lock only
    private void failed(SentBatch batch, int attempt, Throwable reason) {
        boolean begins;
        boolean probes;
        List<SharedQuota> waiting = List.of();
        lock.lock();
        try {
            if (batch.isSettled || batch.attempt != attempt) {
                return;
            }
            batch.attempt++;
            if (!batch.hasFailed) {
                batch.hasFailed = true;
                inFlight--;
                unanswered.add(batch);
            }
            begins = !out;
            probes = begins || batch.isProbing;
            batch.isProbing = false;
            if (begins) {
                out = true;
                pauseNanos = MIN_PAUSE_NANOS;
                waiting = new ArrayList<>(queue);
                queue.clear();
            } else if (probes) {
                pauseNanos = Math.min(2 * pauseNanos, MAX_PAUSE_NANOS);
            }
            asked = batch.quotas.get(0);
        } finally {
            lock.unlock();
        }
        batch.cancelTimer();
        failures.increment();
        if (probes) {
            scheduleProbe();
        }
        if (begins) {
            SafeLog.warn(
                    LOG,
                    "limits \"{}\": the store does not answer ({}); until it does limiters go by their outage policy",
                    name,
                    Text.ofThrown(reason));
        }
        tellAll(waiting, quota -> quota.outage(true));
        tellAll(batch.quotas, quota -> quota.outage(false));
    }

    /** Plans the next probe; if even that is not possible, a request that finds the outage tries again. */
    private void scheduleProbe() {
        long pause = pauseNanos;
        boolean isPlanned = false;
        try {
            pause += environment.random().nextLong(pauseNanos / 4 + 1);
            probeNanos = clock.nanoTime() + pause;
            if (!isClosed) {
                environment.schedule(() -> environment.handOver(this::probe), pause);
            }
            isPlanned = true;
        } catch (Throwable noTimer) { // the environment was closed, or there is no memory
            SafeLog.debug(LOG, "limits \"{}\": no timer to ask the store again", name, noTimer);
        } finally {
            probeIsMissing.set(!isPlanned);
        }
    }

    private void probe() {
        boolean goesOn = false;
        try {
            probeNext();
            goesOn = true;
        } finally {
            if (!goesOn) { // no memory, or no stack: no probe may be the last
                scheduleProbe();
            }
        }
    }

    /** Asks the store again: what was not answered, or else anything. One at a time. */
    private void probeNext() {
        while (true) {
            SentBatch next;
            SharedQuota any;
            lock.lock();
            try {
                if (isClosed) {
                    return;
                }
                next = unanswered.peek();
                any = asked;
            } finally {
                lock.unlock();
            }
            if (next == null) {
                if (any == null || !any.beginsProbe()) { // a batch is on its way, and will say
                    scheduleProbe();
                    return;
                }
                next = newBatch(List.of(any));
                lock.lock();
                try {
                    next.hasFailed = true;
                    unanswered.add(next);
                } finally {
                    lock.unlock();
                }
            } else if (clock.nanoTime() - next.sentNanos >= store.replayNanos() - timeoutNanos) { // too old
                drop(next);
                continue;
            }
            if (beginsProbing(next)) {
                send(next);
                return;
            }
        }
    }

    /** Marks a batch that a probe is on its way with, unless a late answer has come. */
    private boolean beginsProbing(SentBatch batch) {
        lock.lock();
        try {
            batch.isProbing = !batch.isSettled;
            return batch.isProbing;
        } finally {
            lock.unlock();
        }
    }

    private void drop(SentBatch batch) {
        lock.lock();
        try {
            if (batch.isSettled) {
                return;
            }
            batch.isSettled = true;
            twins.end(batch.quotas);
            unanswered.remove(batch);
        } finally {
            lock.unlock();
        }
        batch.isAsking(null);
        tellAll(batch.quotas, SharedQuota::dropped);
    }

    private void probeWorked() {
        List<SharedQuota> owing = null;
        lock.lock();
        try {
            if (isClosed) {
                return;
            }
            if (unanswered.isEmpty()) {
                out = false;
                asked = null;
                owing = new ArrayList<>(charged);
                charged.clear();
            }
        } finally {
            lock.unlock();
        }
        if (owing == null) {
            probe();
            return;
        }
        SafeLog.info(LOG, "limits \"{}\": the store answers again", name);
        tellAll(owing, SharedQuota::wantMore);
        sendAll();
    }

    /** Ends the probes; calls that wait for a request that was not sent are decided. */
    void close() {
        List<SharedQuota> waiting;
        lock.lock();
        try {
            isClosed = out = true;
            probeNanos = clock.nanoTime() + Nanos.NEVER;
            waiting = new ArrayList<>(queue);
            queue.clear();
        } finally {
            lock.unlock();
        }
        tellAll(waiting, quota -> quota.outage(true));
    }
}

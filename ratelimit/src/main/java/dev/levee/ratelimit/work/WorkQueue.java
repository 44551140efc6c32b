package dev.levee.ratelimit.work;

import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.Policy;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * A bounded queue of work: items are accepted until it is full, handled by a fixed number of workers, tried again after
 * a backoff, and kept as dead letters when they cannot be done.
 *
 * <pre>{@code
 * WorkQueue<Mail> queue = WorkQueue.of("mail", c -> c.capacity(1000).workers(8), (mail, attempt) -> smtp.send(mail));
 * if (!queue.offer(mail)) { ... }               // full, or closed
 * queue.submit(mail);                           // or as was chosen: block, refuse, run by the caller
 * WorkReport<Mail> report = queue.close(Duration.ofSeconds(20));
 * save(report.returned());
 * }</pre>
 *
 * <p>Use it where work may be done later and its caller must be slowed down, or told, when too much comes. Not where
 * the caller waits for the result: call it through a bulkhead or a pipeline.
 *
 * <p><b>A crash loses</b> every item that was accepted and is not done, and the dead letters: the queue is in the
 * memory of one process. An item that must survive is stored by its producer before it is offered and removed when it
 * is done, or taken from a broker. The interface fits a queue that survives: items are handled {@linkplain WorkHandler
 * at least once}, an attempt has a number, and a dead letter an id.
 *
 * <p><b>Capacity.</b> Every item that is accepted and not ended has a place: one that waits, one that is handled, one
 * in its backoff. So retries never make the queue grow, and a dependency that is down fills it and pushes back.
 *
 * <p><b>What becomes of an attempt</b> is said by the rule:
 *
 * <ul>
 *   <li>{@code SUCCESS}: done.
 *   <li>{@code FAILURE}, {@code THROTTLED}, {@code NOT_SENT}, an {@code Error} included: tried again after the backoff
 *       or the hint, whichever is longer, up to {@code maxAttempts}; then a dead letter. All items together are tried
 *       again no more often than the {@linkplain WorkQueueConfig.Builder#budget budget} allows; one for which there is
 *       no credit keeps its place, and waits longer.
 *   <li>A refusal by a policy around the work (an open breaker, a limit, a full bulkhead): tried again after the
 *       backoff or its hint, and no attempt, because the work did not run. It does not use up the attempts, so an item
 *       waits as long as the outage lasts. One that the rule names with a verdict that is no failure is a dead letter.
 *   <li>{@code IGNORED}: a dead letter at once, for items that would only fail again. An {@code InterruptedException}
 *       is tried again: it says nothing about the item.
 * </ul>
 *
 * <p><b>Workers</b> are tasks on the environment's executor. One is handed over when an item comes and fewer than
 * {@code workers} are there, and ends when nothing waits: an idle queue has no thread. If the executor rejects it the
 * item waits, and the hand-over is tried again every 100 ms and with each item. What a handler throws never ends a
 * worker. An executor that keeps neither of its promises, and drops a task without a word, costs a worker for good.
 *
 * <p>Thread-safe. Without an order by key, an item that is accepted and done takes no lock and allocates nothing; a
 * worker that is handed over costs an object or two. With an order the same holds for accepting, but for two objects.
 *
 * <p>Metrics: {@code work.waiting}, {@code work.running}, {@code work.accepted}, {@code work.done},
 * {@code work.retried}, {@code work.postponed} (attempts that the budget did not let through yet), {@code work.dead}
 * (items that became dead letters), {@code work.dead.kept}, {@code work.dead.dropped}, {@code work.returned},
 * {@code work.refused}, and {@code work.oldest.age.nanos} (since the oldest waiting item was accepted; 0 if none
 * waits). A listener receives {@code onRefused}, {@code onAttempt} and, for each attempt, {@code onOutcome}.
 *
 * @param <T> the items
 * @since 0.1
 */
public interface WorkQueue<T> extends Measured {
    /**
     * Makes a queue in the machine's time.
     *
     * @param name for logs, metrics and refusals
     * @param configure sets what differs from the defaults
     * @param handler does the work
     * @param <T> the items
     * @return the queue
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, or a setting is out of range
     */
    static <T> WorkQueue<T> of(
            String name, Consumer<? super WorkQueueConfig.Builder<T>> configure, WorkHandler<? super T> handler) {
        return of(name, configure, handler, Environment.system());
    }

    /**
     * Makes a queue.
     *
     * @param name for logs, metrics and refusals
     * @param configure sets what differs from the defaults
     * @param handler does the work
     * @param environment the source of time and threads, and the listener
     * @param <T> the items
     * @return the queue
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, or a setting is out of range
     */
    static <T> WorkQueue<T> of(
            String name,
            Consumer<? super WorkQueueConfig.Builder<T>> configure,
            WorkHandler<? super T> handler,
            Environment environment) {
        WorkQueueConfig<T> config = Require.configured(
                Policy.Kind.QUEUE.label(),
                name,
                WorkQueueConfig.<T>builder(),
                configure,
                WorkQueueConfig.Builder<T>::build);
        return of(name, config, handler, environment);
    }

    /**
     * Makes a queue in the machine's time.
     *
     * @param name for logs, metrics and refusals
     * @param config the settings
     * @param handler does the work
     * @param <T> the items
     * @return the queue
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static <T> WorkQueue<T> of(String name, WorkQueueConfig<T> config, WorkHandler<? super T> handler) {
        return of(name, config, handler, Environment.system());
    }

    /**
     * Makes a queue.
     *
     * @param name for logs, metrics and refusals
     * @param config the settings
     * @param handler does the work
     * @param environment the source of time and threads, and the listener
     * @param <T> the items
     * @return the queue
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static <T> WorkQueue<T> of(
            String name, WorkQueueConfig<T> config, WorkHandler<? super T> handler, Environment environment) {
        return new BoundedWorkQueue<>(name, config, handler, environment);
    }

    /**
     * Returns the name of this queue in logs, metrics and refusals.
     *
     * @return the name that it was built with
     */
    String name();

    /**
     * Accepts an item if there is a place for it. Never blocks, unless the executor runs tasks on the thread that hands
     * them over.
     *
     * @param item the item
     * @return whether it was accepted; false if the queue is full, other callers wait for a place, or it is closed
     * @throws NullPointerException if the item is null, or its key is
     */
    boolean offer(T item);

    /**
     * Accepts an item, or does what was chosen for a full queue ({@link WorkQueueConfig.Builder#whenFull}). With
     * {@link WhenFull#BLOCK} it blocks until there is a place, with {@link WhenFull#CALLER_RUNS} until the item has
     * been handled, with {@link WhenFull#REFUSE} never. A handler that submits to its own queue with {@code BLOCK} may
     * wait for itself, until {@code maxWait} is over.
     *
     * @param item the item
     * @throws WorkRefusedException if it was not accepted
     * @throws dev.levee.core.InterruptedWaitException if the thread was interrupted while it waited for a place; the
     *     item was not accepted, and the interrupt flag is set. If there is a place the flag is not looked at
     * @throws NullPointerException if the item is null, or its key is
     */
    void submit(T item);

    /**
     * Accepts an item as soon as there is a place, without a thread that waits. Does not block. With
     * {@link WhenFull#REFUSE} a full queue refuses at once; otherwise the item waits for a place, first come first
     * served with the callers of {@link #submit}, up to {@code maxWait}. As many as the capacity may wait like this;
     * more are refused at once.
     *
     * @param item the item
     * @return a future that completes, on a thread of the environment's executor, when the item was accepted; it fails
     *     with a {@link WorkRefusedException} if it was not, and with what the key of the item threw. A cancel takes
     *     the item back, unless it was accepted
     * @throws NullPointerException if the item is null
     */
    CompletableFuture<Void> submitAsync(T item);

    /**
     * Handles the next item that waits on the calling thread: one attempt, as a worker makes it. For consumers on
     * threads of your own, beside the workers or in their place. Blocks as long as the handler does.
     *
     * @return whether there was an item; false if none waits that may be begun, the queue is paused, or its close is
     *     over
     */
    boolean runNext();

    /** Begins no more items until {@link #resume}. Does not block; what is being handled goes on. */
    void pause();

    /** Begins items again. Does not block. */
    void resume();

    /**
     * Returns the dead letters that are kept.
     *
     * @return the oldest first; an unmodifiable copy
     */
    List<DeadLetter<T>> deadLetters();

    /**
     * Accepts the item of a dead letter again, with all its attempts, if there is a place for it. It is a new item: in
     * an order by key it comes after those that were accepted before. Does not block.
     *
     * @param letter the dead letter
     * @return whether it was accepted; false if the queue is full or closed, or the letter is not kept any more. Then
     *     nothing has changed
     * @throws NullPointerException if the letter is null
     */
    boolean replay(DeadLetter<T> letter);

    /**
     * Replays dead letters, the oldest first, until all that were kept when it was called are replayed or the queue is
     * full.
     *
     * @return how many were replayed
     */
    int replayAll();

    /**
     * Forgets a dead letter.
     *
     * @param letter the dead letter
     * @return whether it was kept until now
     * @throws NullPointerException if the letter is null
     */
    boolean discard(DeadLetter<T> letter);

    /**
     * Forgets all dead letters.
     *
     * @return how many there were
     */
    int discardAll();

    /**
     * Counts what became of all items. Takes a lock for a moment.
     *
     * @return the counts of one moment
     */
    WorkCounts counts();

    /**
     * Closes the queue: accepts nothing more, refuses those that wait for a place, lets the workers go on until
     * everything has ended or the time is up, and reports. Blocks until then.
     *
     * <p>Items whose next attempt would come after the deadline are returned at once, and with them the later ones of
     * their key. At the deadline everything that waits is returned, and what is still handled is interrupted (a stage
     * is cancelled) and reported as unfinished. If the queue is paused, what waits is returned at once.
     *
     * <p>An interrupt of the calling thread ends the wait as the deadline does, and its flag is set again. A second
     * call may make the deadline earlier, and gets the same report. Called by a handler it waits for that handler's own
     * item, so give it no time.
     *
     * @param timeout how long to wait; zero ends everything now
     * @return what became of all items
     * @throws NullPointerException if {@code timeout} is null
     * @throws IllegalArgumentException if it is negative
     */
    WorkReport<T> close(Duration timeout);

    /**
     * Closes the queue by a deadline; see {@link #close(Duration)}.
     *
     * @param deadline when the wait ends
     * @return what became of all items
     * @throws NullPointerException if {@code deadline} is null
     */
    default WorkReport<T> close(Deadline deadline) {
        return close(Duration.ofNanos(Require.nonNull("deadline", deadline).remainingNanos()));
    }
}

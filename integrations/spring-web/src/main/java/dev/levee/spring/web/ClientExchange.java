package dev.levee.spring.web;

import dev.levee.core.Outcomes;
import dev.levee.core.Verdict;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** One call of a client with all its attempts: sees to it that each response is either the caller's or closed. */
final class ClientExchange<R> {
    private final ClientGuard guard;
    private final Queue<HttpAnswer<R>> open = new ConcurrentLinkedQueue<>();
    private final AtomicInteger sent = new AtomicInteger();
    /** What the client made of the failure of an attempt. */
    private volatile @Nullable Throwable wrapper;

    private volatile boolean ended;

    ClientExchange(ClientGuard guard) {
        this.guard = guard;
    }

    /** An attempt begins: the failures of those before it count no more. A hedge may still wait for an answer. */
    void beginAttempt() {
        for (HttpAnswer<R> answer : open) {
            if (answer.failed) {
                answer.close();
            }
        }
    }

    /** Counts an exchange; whether there are endpoints besides those that the call has been sent to. */
    boolean leavesOthers() {
        return sent.incrementAndGet() < guard.balancer().usableEndpoints();
    }

    /** An attempt has failed: policies get the cause, which says more to them. */
    Throwable unwrapped(Throwable wrapped, Throwable cause) {
        wrapper = wrapped;
        return cause;
    }

    /** What the caller gets for the failure of the call: what the client would have thrown. */
    Throwable asOfClient(Throwable failure) {
        Throwable last = wrapper;
        return last != null && last.getCause() == failure ? last : failure;
    }

    /** Keeps the answer of an endpoint until the call ends. */
    HttpAnswer<R> received(HttpAnswer<R> answer) {
        open.add(answer);
        if (ended) {
            closeOpen();
        }
        return answer;
    }

    /** The exception of an answer that is a failure, for policies; null if it is none. */
    @Nullable FailedResponseException failureOf(HttpAnswer<?> answer) {
        Verdict verdict = Outcomes.judge(ClientGuard.outcomes(), answer, null);
        if (verdict == Verdict.SUCCESS || verdict == Verdict.IGNORED) {
            return null;
        }
        answer.failed = true;
        return new FailedResponseException(guard.name(), answer);
    }

    HttpAnswer<R> orFailure(HttpAnswer<R> answer) throws FailedResponseException {
        FailedResponseException failure = failureOf(answer);
        if (failure != null) {
            throw failure;
        }
        return answer;
    }

    /** The call has ended: returns the response, if this is one that was not closed, and closes all others. */
    @Nullable R end(@Nullable Object answered, @Nullable Throwable error) {
        Object outcome = error == null
                ? answered
                : Outcomes.unwrap(error) instanceof FailedResponseException failed ? failed.answer() : null;
        R response = null;
        for (HttpAnswer<R> answer : open) { // only what came from this call
            if (answer == outcome && answer.take()) {
                response = answer.response;
            }
        }
        ended = true;
        closeOpen();
        return response;
    }

    private void closeOpen() {
        HttpAnswer<R> answer = open.poll();
        while (answer != null) {
            answer.close();
            answer = open.poll();
        }
    }
}

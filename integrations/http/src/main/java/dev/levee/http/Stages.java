package dev.levee.http;

import dev.levee.core.CallFuture;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;

/** Ends work behind stages of any kind. */
final class Stages {
    private Stages() {}

    static void cancel(CompletionStage<?> stage, Throwable reason) {
        if (stage instanceof CompletableFuture<?> future) {
            CallFuture.requestCancel(future, reason);
        } else if (stage instanceof Future<?> future) {
            future.cancel(true);
        }
    }
}

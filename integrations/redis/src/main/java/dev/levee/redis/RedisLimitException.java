package dev.levee.redis;

import dev.levee.core.internal.Text;
import io.lettuce.core.RedisBusyException;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisLoadingException;
import io.lettuce.core.RedisReadOnlyException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;

/**
 * Redis could not decide about a limit: it is not reached, refuses, or has answered something that is not understood.
 * The message says what to do. A limiter then goes on as its outage policy says; nothing is admitted because of it.
 *
 * <p>The cause is the exception of the client, if there is one.
 *
 * @since 0.1
 */
public final class RedisLimitException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private RedisLimitException(String message, Throwable cause) {
        super(message, cause);
    }

    /** Returns the failure of a store for what its client has thrown. */
    static RedisLimitException of(String store, Throwable thrown) {
        Throwable cause =
                thrown instanceof CompletionException && thrown.getCause() != null ? thrown.getCause() : thrown;
        if (cause instanceof RedisLimitException known) {
            return known;
        }
        return new RedisLimitException(store + ": " + reason(cause), cause);
    }

    /** Returns the failure of one key of a store, for what the script says of it. */
    static RedisLimitException said(String store, String error) {
        RedisCommandExecutionException cause = new RedisCommandExecutionException(error);
        return new RedisLimitException(store + ": " + reason(cause), cause);
    }

    private static String reason(Throwable cause) {
        String text = String.valueOf(cause.getMessage());
        if (cause instanceof RedisReadOnlyException || text.startsWith("READONLY")) {
            return "the server is a read-only replica; connect to the primary" + said(text);
        } else if (cause instanceof RedisBusyException || text.startsWith("BUSY") || text.startsWith("UNKILLABLE")) {
            return "the server is busy with another script that does not end; see SCRIPT KILL" + said(text);
        } else if (cause instanceof RedisLoadingException || text.startsWith("LOADING")) {
            return "the server still loads its data" + said(text);
        } else if (text.startsWith("WRONGTYPE")) {
            return "a key has a type that is not of Levee; choose another prefix, or delete it" + said(text);
        } else if (text.startsWith("LEVEEFOREIGN")) {
            return "a key has a value that is not of Levee, or of another version; choose another prefix, or delete it"
                    + said(text);
        } else if (text.startsWith("OOM")) {
            return "the server is out of memory; give it more, and the policy noeviction" + said(text);
        } else if (text.startsWith("CLUSTERDOWN") || text.startsWith("MASTERDOWN")) {
            return "the cluster does not serve the slot of the limit" + said(text);
        } else if (text.startsWith("MOVED") || text.startsWith("ASK ") || text.startsWith("CROSSSLOT")) {
            return "the server is one of a cluster; use a connection of RedisClusterClient" + said(text);
        } else if (text.startsWith("NOPERM") || text.startsWith("NOAUTH")) {
            return "the user may not run the script: it needs EVALSHA, EVAL, GET, SET and TIME on keys of the prefix"
                    + said(text);
        } else if (cause instanceof CancellationException) {
            return "the command was called off";
        } else if (cause instanceof RedisCommandExecutionException) {
            return "the server refuses the script" + said(text);
        }
        return "the server could not be asked" + said(cause.toString());
    }

    private static String said(String text) {
        return " (" + Text.printable(text) + ")";
    }

    /** Returns the failure of a store for an answer that is not understood. */
    static RedisLimitException answer(String store, String answer, RuntimeException why) {
        return new RedisLimitException(
                store + ": the server has answered something else than expected: " + Text.printable(answer), why);
    }
}

package dev.levee.spring.web;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.RefusedException;
import dev.levee.core.consistency.Consistency;
import dev.levee.core.consistency.Session;
import dev.levee.core.internal.Nanos;
import dev.levee.ratelimit.RateLimitedException;
import dev.levee.ratelimit.http.RetryAfterField;
import java.util.List;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What the filters of all servers have in common. */
final class InboundRequests {
    static final int BAD_REQUEST = 400;
    static final int TOO_MANY_REQUESTS = 429;
    static final int SERVICE_UNAVAILABLE = 503;

    private static final int MAX_HEADER_LENGTH = 200;
    private static final int MAX_CAUSES = 10;
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9._-]{1,64}");

    final InboundConfig config;
    private final Environment environment;

    InboundRequests(InboundConfig config, Environment environment) {
        this.config = config;
        this.environment = environment;
    }

    /**
     * The session of a request; null if there are to be none.
     *
     * @throws IllegalArgumentException if the header is no session
     */
    @Nullable Session session(List<String> headers) {
        return config.sessions() ? Session.parse(String.join(",", headers)) : null;
    }

    /** The context of a request: with a session if there is one, and with a deadline if one is trusted or set. */
    CallContext context(List<String> deadlines, @Nullable Session session) {
        CallContext context = CallContext.current();
        if (session != null) {
            context = context.withSession(session).withConsistency(Consistency.session());
        }
        if (Nanos.of(config.maxTime()) < Nanos.NEVER) {
            context = context.withDeadline(Deadline.after(config.maxTime(), environment.clock()));
        }
        if (!config.trustsDeadline() || deadlines.isEmpty()) {
            return context;
        }
        String text = String.join(",", deadlines);
        if (text.length() > MAX_HEADER_LENGTH) {
            return context;
        }
        try {
            return context.withDeadline(Deadline.ofHeader(text, environment.clock()));
        } catch (IllegalArgumentException unreadable) {
            return context;
        }
    }

    /** The id of a request: that of its header if it is trusted and well-formed, else a new one. */
    String correlationId(@Nullable String given) {
        return given != null && config.trustsCorrelation() && ID.matcher(given).matches()
                ? given
                : new UUID(environment.random().nextLong(), environment.random().nextLong()).toString();
    }

    /** The refusal that an exception is, or was caused by; null if it is another failure. */
    static @Nullable RefusedException refusal(@Nullable Throwable thrown) {
        Throwable at = thrown;
        for (int depth = 0; depth < MAX_CAUSES && at != null; depth++) {
            if (at instanceof RefusedException refused) {
                return refused;
            }
            at = at.getCause();
        }
        return null;
    }

    static int status(RefusedException refusal) {
        return refusal instanceof RateLimitedException ? TOO_MANY_REQUESTS : SERVICE_UNAVAILABLE;
    }

    /** The value of Retry-After, or null if the wait is not known, or has no end. */
    static @Nullable String retryAfter(RefusedException refusal) {
        long nanos = refusal.retryAfterNanos();
        return nanos == RefusedException.UNKNOWN || nanos >= Nanos.NEVER
                ? null
                : RetryAfterField.ofNanos(nanos).value();
    }
}

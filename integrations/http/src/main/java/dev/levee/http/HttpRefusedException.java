package dev.levee.http;

import dev.levee.core.RefusedException;
import java.io.IOException;

/**
 * A request was not sent, because no endpoint or a limit let it in.
 *
 * <p>An {@code IOException}, since that is what callers of an HTTP client are prepared for; the cause says which policy
 * refused. Outcome rules of this package take it as the refusal that it is: no evidence about the service. See ADR 55.
 *
 * @since 0.1
 */
public final class HttpRefusedException extends IOException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes the exception for a refusal; for adapters of HTTP clients.
     *
     * @param cause the refusal
     */
    public HttpRefusedException(RefusedException cause) {
        super(cause.getMessage(), cause);
    }

    /**
     * How long to wait before another try has a chance.
     *
     * @return nanoseconds from now, zero for at once, or {@link RefusedException#UNKNOWN}
     */
    public long retryAfterNanos() {
        return getCause() instanceof RefusedException refused ? refused.retryAfterNanos() : RefusedException.UNKNOWN;
    }
}

package dev.levee.http;

import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Require;
import dev.levee.loadbalancing.strategy.ServerLoad;
import java.io.IOException;
import java.net.BindException;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpResponse;
import java.nio.channels.UnresolvedAddressException;
import java.util.Set;
import java.util.function.Supplier;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import org.jspecify.annotations.Nullable;

/**
 * What HTTP responses and failures mean to retries, hedges, breakers and health checks.
 *
 * <table>
 * <caption>Verdicts</caption>
 * <tr><th>Outcome</th><th>Verdict</th></tr>
 * <tr><td>1xx, 2xx, 3xx, and 4xx but for those below</td><td>{@code SUCCESS}: the endpoint did its work</td></tr>
 * <tr><td>408 Request Timeout</td><td>{@code FAILURE}</td></tr>
 * <tr><td>421 Misdirected Request, 425 Too Early</td><td>{@code NOT_SENT}: it was not processed, and may be sent again
 * whatever its method</td></tr>
 * <tr><td>429 Too Many Requests, 503 with Retry-After</td><td>{@code THROTTLED}, with the wait that it asks
 * for</td></tr>
 * <tr><td>501 Not Implemented, 505 HTTP Version Not Supported</td><td>{@code IGNORED}: no other attempt would fare
 * better</td></tr>
 * <tr><td>other 5xx</td><td>{@code FAILURE}</td></tr>
 * <tr><td>no connection: refused, timed out, no such host, no handshake; an HTTP/2 stream that was
 * refused</td><td>{@code NOT_SENT}</td></tr>
 * <tr><td>{@code IllegalArgumentException}, {@code SecurityException}</td><td>{@code IGNORED}: the caller's own
 * mistake</td></tr>
 * <tr><td>any other failure</td><td>as {@link OutcomeRule#standard()} has it: {@code FAILURE}, and {@code IGNORED} if
 * the caller has cancelled</td></tr>
 * </table>
 *
 * <p>Sources: R. Fielding, M. Nottingham, J. Reschke (ed.), "HTTP Semantics", RFC 9110, 2022, sections 9.2.2, 10.2.3
 * and 15; M. Nottingham, R. Fielding, "Additional HTTP Status Codes", RFC 6585, 2012; M. Thomson, M. Nottingham, W.
 * Tarreau, "Using Early Data in HTTP", RFC 8470, 2018.
 *
 * @since 0.1
 */
public final class HttpOutcomes {
    private static final int REQUEST_TIMEOUT = 408;
    private static final int MISDIRECTED = 421;
    private static final int TOO_EARLY = 425;
    private static final int TOO_MANY_REQUESTS = 429;
    private static final int SERVER_ERROR = 500;
    private static final int NOT_IMPLEMENTED = 501;
    static final int UNAVAILABLE = 503;
    private static final int VERSION_NOT_SUPPORTED = 505;

    /**
     * The messages of the JDK's client for streams that a server has not processed (RFC 9113, section 8.7), which have
     * no type of their own: the first up to about 23, for REFUSED_STREAM; the second since, for GOAWAY too.
     */
    private static final Set<String> NOT_PROCESSED =
            Set.of("Received RST_STREAM: Stream not processed", "request not processed by peer");

    /** What the JDK says when the first bytes of a server are no TLS: it has not been sent anything else by then. */
    private static final Set<String> NO_TLS =
            Set.of("Unrecognized SSL message, plaintext connection?", "Unsupported or unrecognized SSL message");

    /** What the JDK's client puts around a handshake that fails when it reads already, once or twice. */
    private static final String NO_HEADERS = "HTTP/1.1 header parser received no bytes";

    private static final int MAX_WRAPPERS = 3;

    private static final String RETRY_AFTER = "Retry-After";
    private static final Set<String> IDEMPOTENT = Set.of("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE");

    private HttpOutcomes() {}

    private static boolean isNotProcessed(Throwable error) {
        return error instanceof IOException && isOneOf(NOT_PROCESSED, error);
    }

    private static boolean isFailedHandshake(Throwable error) {
        Throwable failure = error;
        for (int i = 0; i < MAX_WRAPPERS && NO_HEADERS.equals(failure.getMessage()); i++) {
            failure = failure.getCause() == null ? failure : failure.getCause();
        }
        return failure instanceof SSLHandshakeException
                || (failure instanceof SSLException && isOneOf(NO_TLS, failure));
    }

    private static boolean isOneOf(Set<String> messages, Throwable error) {
        return error.getMessage() != null && messages.contains(error.getMessage());
    }

    /**
     * The rule for responses of {@code java.net.http}.
     *
     * @return the rule, always the same one
     */
    public static OutcomeRule rule() {
        return JdkRule.INSTANCE;
    }

    /**
     * The rule for responses of another client.
     *
     * @param transport gives status and headers
     * @param <R> its responses; what is judged must be one of them
     * @return the rule
     * @throws NullPointerException if an argument is null
     */
    public static <R> OutcomeRule of(Transport<?, ?, R> transport) {
        return new TransportRule<>(Require.nonNull("transport", transport));
    }

    /**
     * Whether doing a request twice does what doing it once does, by its method: GET, HEAD, OPTIONS, TRACE, PUT and
     * DELETE (RFC 9110, section 9.2.2).
     *
     * @param method as it is sent: methods are case-sensitive
     * @return whether it is one of them
     * @throws NullPointerException if an argument is null
     */
    public static boolean isIdempotent(String method) {
        return IDEMPOTENT.contains(Require.nonNull("method", method));
    }

    /**
     * Returns the load that the server reports in the header {@link ServerLoad#HEADER} of a response, for strategies
     * that use it: {@code BalancingStrategy.probing(probing -> probing.responses(HttpOutcomes::serverLoad))}.
     *
     * @param result what a call gave
     * @return the load, or null if it is not a response of {@code java.net.http} or does not say
     */
    public static @Nullable ServerLoad serverLoad(Object result) {
        return result instanceof HttpResponse<?> response
                ? ServerLoad.parse(
                        response.headers().firstValue(ServerLoad.HEADER).orElse(null))
                : null;
    }

    /** The header is looked up only where it counts: a response that has none is looked through as a whole. */
    private static Verdict ofStatus(int status, Supplier<@Nullable String> retryAfter) {
        return switch (status) {
            case REQUEST_TIMEOUT -> Verdict.FAILURE;
            case MISDIRECTED, TOO_EARLY -> Verdict.NOT_SENT;
            case TOO_MANY_REQUESTS -> Verdict.THROTTLED;
            case NOT_IMPLEMENTED, VERSION_NOT_SUPPORTED -> Verdict.IGNORED;
            case UNAVAILABLE -> retryAfter.get() == null ? Verdict.FAILURE : Verdict.THROTTLED;
            default -> status >= SERVER_ERROR ? Verdict.FAILURE : Verdict.SUCCESS;
        };
    }

    private static long nanosOf(@Nullable String retryAfter, Supplier<@Nullable String> date) {
        return retryAfter == null ? RefusedException.UNKNOWN : RetryAfter.nanos(retryAfter, date.get());
    }

    private static Verdict ofError(Throwable error) {
        if (error instanceof HttpConnectTimeoutException
                || error instanceof UnresolvedAddressException
                || error instanceof BindException
                || isFailedHandshake(error)
                || isNotProcessed(error)) {
            return Verdict.NOT_SENT;
        }
        if (error instanceof IllegalArgumentException || error instanceof SecurityException) {
            return Verdict.IGNORED;
        }
        if (error instanceof IOException && error.getCause() instanceof RefusedException) {
            return Verdict.IGNORED; // of a client like this one further in
        }
        return OutcomeRule.standard().judge(null, error);
    }

    private enum JdkRule implements OutcomeRule {
        INSTANCE;

        @Override
        public Verdict judge(@Nullable Object result, @Nullable Throwable error) {
            if (error != null) {
                return ofError(error);
            }
            return result instanceof HttpResponse<?> response
                    ? ofStatus(response.statusCode(), () -> header(response, RETRY_AFTER))
                    : Verdict.SUCCESS;
        }

        @Override
        public long retryAfterNanos(@Nullable Object result, @Nullable Throwable error) {
            return result instanceof HttpResponse<?> response
                    ? nanosOf(header(response, RETRY_AFTER), () -> header(response, "Date"))
                    : OutcomeRule.standard().retryAfterNanos(result, error);
        }

        private static @Nullable String header(HttpResponse<?> response, String name) {
            return response.headers().firstValue(name).orElse(null);
        }

        @Override
        public String toString() {
            return "http";
        }
    }

    private record TransportRule<R>(Transport<?, ?, R> transport) implements OutcomeRule {
        @Override
        public Verdict judge(@Nullable Object result, @Nullable Throwable error) {
            if (error != null) {
                return ofError(error);
            }
            if (result == null) {
                return Verdict.SUCCESS;
            }
            R response = response(result);
            return ofStatus(transport.status(response), () -> transport.header(response, RETRY_AFTER));
        }

        @Override
        public long retryAfterNanos(@Nullable Object result, @Nullable Throwable error) {
            if (result == null) {
                return OutcomeRule.standard().retryAfterNanos(null, error);
            }
            R response = response(result);
            return nanosOf(transport.header(response, RETRY_AFTER), () -> transport.header(response, "Date"));
        }

        @SuppressWarnings("unchecked") // it is only shown what the transport gave
        private R response(Object result) {
            return (R) result;
        }

        @Override
        public String toString() {
            return "http";
        }
    }
}

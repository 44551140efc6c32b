package dev.levee.spring.web;

import dev.levee.core.Action;
import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.DeadlineExpiredException;
import dev.levee.core.Environment;
import dev.levee.core.RefusedException;
import dev.levee.core.consistency.Session;
import dev.levee.core.internal.Require;
import dev.levee.ratelimit.http.RetryAfterField;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Collections;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * A servlet filter that takes deadline, session and correlation id of a request in, and answers a refusal of a policy
 * with 429 or 503 and Retry-After.
 *
 * <p>The deadline is in {@link CallContext} while the request is handled on its thread; a request whose deadline has
 * passed is not handled, and gets 503. A refusal by a rate limiter answers 429, any other 503, if nothing was written
 * yet; the body is empty. What handlers answer themselves is left as it is. Requests that continue on other threads
 * carry their context there themselves; that their failure is answered too, register the filter for asynchronous
 * dispatches as well, as the auto-configuration does. See ADR 132.
 *
 * <p>The session is in the header of the response as it is when the handler gets the writer or the stream of the body,
 * flushes, redirects, sends an error, or returns: what is written to a database after a part of the body has been sent
 * is not in it.
 *
 * <p>Thread-safe; does not block by itself.
 *
 * @since 0.1
 */
public final class InboundFilter implements Filter {
    /** The key of the correlation id in the log context, and the name of the attribute of the request. */
    public static final String CORRELATION = "correlationId";

    private final InboundRequests requests;

    private InboundFilter(InboundRequests requests) {
        this.requests = requests;
    }

    /**
     * Returns a filter in {@link Environment#system()}.
     *
     * @param configure says what is taken from requests
     * @return the filter
     * @throws NullPointerException if {@code configure} is null
     */
    public static InboundFilter of(Consumer<? super InboundConfig.Builder> configure) {
        return of(configure, Environment.system());
    }

    /**
     * Returns a filter.
     *
     * @param configure says what is taken from requests
     * @param environment the clock of deadlines, which must be that of the policies
     * @return the filter
     * @throws NullPointerException if an argument is null
     */
    public static InboundFilter of(Consumer<? super InboundConfig.Builder> configure, Environment environment) {
        Require.nonNull("environment", environment);
        return new InboundFilter(new InboundRequests(InboundConfig.of(configure), environment));
    }

    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        if (request instanceof HttpServletRequest asked && response instanceof HttpServletResponse answer) {
            withCorrelation(asked, answer, chain);
        } else {
            chain.doFilter(request, response);
        }
    }

    private void withCorrelation(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        String header = requests.config.correlationHeader();
        if (header == null) {
            withSession(request, response, chain);
            return;
        }
        String id = request.getAttribute(CORRELATION) instanceof String known // of a dispatch before this one
                ? known
                : requests.correlationId(request.getHeader(header));
        request.setAttribute(CORRELATION, id);
        response.setHeader(header, id);
        String before = MDC.get(CORRELATION);
        MDC.put(CORRELATION, id);
        try {
            withSession(request, response, chain);
        } finally {
            restore(before);
        }
    }

    private static void restore(@Nullable String before) {
        if (before == null) {
            MDC.remove(CORRELATION);
        } else {
            MDC.put(CORRELATION, before);
        }
    }

    private void withSession(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        if (request.getDispatcherType() == DispatcherType.ASYNC) { // only the answer is still to be written
            handle(request, response, chain, CallContext.current());
            return;
        }
        Session session;
        try {
            session = requests.session(Collections.list(request.getHeaders(Session.HEADER)));
        } catch (IllegalArgumentException unreadable) {
            response.setStatus(InboundRequests.BAD_REQUEST);
            response.setContentLength(0);
            return;
        }
        if (session == null) {
            handle(request, response, chain, contextOf(request, null));
            return;
        }
        SessionResponse answer = new SessionResponse(response, session);
        try {
            handle(request, answer, chain, contextOf(request, session));
        } finally {
            answer.tellSession();
        }
    }

    private CallContext contextOf(HttpServletRequest request, @Nullable Session session) {
        return requests.context(Collections.list(request.getHeaders(Deadline.HEADER)), session);
    }

    private static void handle(
            HttpServletRequest request, HttpServletResponse response, FilterChain chain, CallContext context)
            throws IOException, ServletException {
        Deadline deadline = context.deadline();
        try {
            if (deadline != null && deadline.isExpired()) {
                throw DeadlineExpiredException.shared("filter", "inbound").detached();
            }
            Action<Exception> handling = () -> chain.doFilter(request, response);
            context.run(handling);
        } catch (IOException | ServletException | RuntimeException thrown) {
            RefusedException refusal = InboundRequests.refusal(thrown);
            if (refusal == null || response.isCommitted()) {
                throw thrown;
            }
            answer(refusal, response);
        } catch (Exception other) { // sneaked through the chain
            throw new ServletException(other);
        }
    }

    private static void answer(RefusedException refusal, HttpServletResponse response) {
        response.resetBuffer();
        response.setStatus(InboundRequests.status(refusal));
        String wait = InboundRequests.retryAfter(refusal);
        if (wait != null) {
            response.setHeader(RetryAfterField.NAME, wait);
        }
        response.setContentLength(0);
    }
}

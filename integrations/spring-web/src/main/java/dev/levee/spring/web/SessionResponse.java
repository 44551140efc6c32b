package dev.levee.spring.web;

import dev.levee.core.consistency.Session;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.IOException;
import java.io.PrintWriter;

/** A response that has the session in its header, as it is when the handler begins with the body or ends. */
final class SessionResponse extends HttpServletResponseWrapper {
    private final Session session;

    SessionResponse(HttpServletResponse response, Session session) {
        super(response);
        this.session = session;
    }

    /** Sets the header to what the session has written and seen so far, unless it is too late for that. */
    void tellSession() {
        if (!isCommitted()) {
            String seen = session.toHeader();
            if (!seen.isEmpty()) {
                setHeader(Session.HEADER, seen);
            }
        }
    }

    @Override
    public ServletOutputStream getOutputStream() throws IOException {
        tellSession();
        return super.getOutputStream();
    }

    @Override
    public PrintWriter getWriter() throws IOException {
        tellSession();
        return super.getWriter();
    }

    @Override
    public void flushBuffer() throws IOException {
        tellSession();
        super.flushBuffer();
    }

    @Override
    public void sendError(int status) throws IOException {
        tellSession();
        super.sendError(status);
    }

    @Override
    public void sendError(int status, String message) throws IOException {
        tellSession();
        super.sendError(status, message);
    }

    @Override
    public void sendRedirect(String location) throws IOException {
        tellSession();
        super.sendRedirect(location);
    }
}

package dev.levee.dns;

import java.io.IOException;

/**
 * Reports that a server answered that it cannot answer this question, such as {@code SERVFAIL}; it may well answer
 * another one.
 */
final class ServerFailureException extends IOException {
    private static final long serialVersionUID = 1L;

    ServerFailureException(String message) {
        super(message);
    }

    ServerFailureException(String message, ServerFailureException cause) {
        super(message, cause);
    }
}

package dev.levee.spring.cloud;

/** A response of the gateway whose status is a failure: for policies alone, the client gets the response. */
final class CountedStatusException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    CountedStatusException(int status) {
        super("the upstream has answered with status " + status, null, false, false);
    }
}

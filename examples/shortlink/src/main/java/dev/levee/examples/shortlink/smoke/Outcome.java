package dev.levee.examples.shortlink.smoke;

/**
 * How a request ended.
 *
 * @param request the request
 * @param endNanos when, since the start of the load
 * @param status the HTTP status, or 0 if there was no answer
 * @param location where the answer points to, or empty
 * @param node which incarnation of which node answered, or empty
 * @param cacheHit whether the node had it in its cache
 * @param replayed whether it is the recorded answer to an earlier request
 * @param counted whether it says that the click was counted
 */
record Outcome(
        Request request,
        long endNanos,
        int status,
        String location,
        String node,
        boolean cacheHit,
        boolean replayed,
        boolean counted) {
    /** An outcome that was not counted. */
    Outcome(
            Request request,
            long endNanos,
            int status,
            String location,
            String node,
            boolean cacheHit,
            boolean replayed) {
        this(request, endNanos, status, location, node, cacheHit, replayed, false);
    }

    /** An outcome that was not replayed. */
    Outcome(Request request, long endNanos, int status, String location, String node, boolean cacheHit) {
        this(request, endNanos, status, location, node, cacheHit, false);
    }

    /** From the moment in which the request was due: what it had to wait to be sent counts. */
    long latencyNanos() {
        return endNanos - request.atNanos();
    }

    /** The code of the link that a request to shorten was promised; each front has an address of its own. */
    String code() {
        return location.substring(location.lastIndexOf('/') + 1);
    }

    boolean isRight() {
        return switch (request.kind()) {
            case POPULAR, COLD, OWN -> status == 302 && location.equals(request.url());
            case SHORTEN, REPEAT -> status == 201;
            case GUESS -> status == 404;
        };
    }
}

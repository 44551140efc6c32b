package dev.levee.examples.shortlink.smoke;

/**
 * One request of the load.
 *
 * @param atNanos when it is to be sent, since the start of the load
 * @param kind what it is for
 * @param code the code to resolve; empty for {@link Kind#SHORTEN}
 * @param url the URL to shorten, or where the redirect must lead; empty for {@link Kind#GUESS}
 * @param client the address that it comes from
 */
record Request(long atNanos, Kind kind, String code, String url, String client) {
    /** What a request is for. */
    enum Kind {
        /** Resolves one of the well-known links. */
        POPULAR,
        /** Resolves a link that nobody has asked for before, so that no cache holds it. */
        COLD,
        /** Shortens a new URL. */
        SHORTEN,
        /** A client that misbehaves tries codes at random. */
        GUESS;

        boolean isRedirect() {
            return this == POPULAR || this == COLD;
        }
    }
}

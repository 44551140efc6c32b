package dev.levee.examples.shortlink.smoke;

/**
 * One request of the load.
 *
 * @param atNanos when it is to be sent, since the start of the load
 * @param kind what it is for
 * @param code the code to resolve; empty for {@link Kind#SHORTEN}
 * @param url the URL to shorten, or where the redirect must lead; empty for {@link Kind#GUESS}
 * @param client the address that it comes from
 * @param key the idempotency key that it carries; empty for none
 */
record Request(long atNanos, Kind kind, String code, String url, String client, String key) {
    /** So many that all of them together ask more than one of them may. */
    private static final int TENANTS = 4;

    /** A request without a key. */
    Request(long atNanos, Kind kind, String code, String url, String client) {
        this(atNanos, kind, code, url, client, "");
    }

    /** Whose client it is: each address belongs to one of a few tenants. */
    String tenant() {
        return "tenant-" + Math.floorMod(client.hashCode(), TENANTS);
    }

    /** What a request is for. */
    enum Kind {
        /** Resolves one of the well-known links. */
        POPULAR,
        /** Resolves a link that was not requested before, so that no cache holds it. */
        COLD,
        /** Shortens a new URL. */
        SHORTEN,
        /** Sends a request to shorten a second time, with the same key, like a client that has lost the answer. */
        REPEAT,
        /** Resolves a link at once that the same client has just made, with the session of the answer. */
        OWN,
        /** A client that misbehaves tries codes at random. */
        GUESS;

        boolean isRedirect() {
            return this == POPULAR || this == COLD || this == OWN;
        }

        boolean shortens() {
            return this == SHORTEN || this == REPEAT;
        }
    }
}

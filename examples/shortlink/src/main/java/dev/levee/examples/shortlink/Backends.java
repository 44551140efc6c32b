package dev.levee.examples.shortlink;

import org.jspecify.annotations.Nullable;

/**
 * What a node works on.
 *
 * @param primary the JDBC URL of the database that takes writes
 * @param replica the JDBC URL of a copy that is read, or null for none
 * @param redis the address of Redis, or null for none
 */
public record Backends(
        String primary, @Nullable String replica, @Nullable String redis) {
    /**
     * A database alone.
     *
     * @param url its JDBC URL
     * @return nothing else
     */
    public static Backends database(String url) {
        return new Backends(url, null, null);
    }
}

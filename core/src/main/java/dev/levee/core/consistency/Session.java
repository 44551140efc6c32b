package dev.levee.core.consistency;

import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What one user has written and seen, as a position in the history of each source of data: what
 * {@link Consistency#session()} promises to read at least.
 *
 * <pre>{@code
 * Session session = Session.parse(request.getHeader(Session.HEADER));      // or new Session()
 * CallContext.current().withSession(session).withConsistency(Consistency.session()).run(() -> handle(request));
 * response.setHeader(Session.HEADER, session.toHeader());                  // the client sends it next time
 * }</pre>
 *
 * <p>A part that writes notes the position of its write, such as the log sequence number of a database; a part that
 * reads notes the position that it has read at, so that reads never go back; and a replica or cache is used only if it
 * has reached the position. Positions of one source only grow, but for {@link #settle}. They are no secret, but a
 * client can change them: one that is too high makes its reads slow (they wait, within the bounds of the reader, and
 * then go to the primary), and one that is too low makes them stale, for that client alone.
 *
 * <p>Thread-safe: calls of one user may run at the same time. Does not block. See ADR 141.
 *
 * @since 0.1
 */
public final class Session {
    /** The name of the HTTP header that {@link #toHeader} is meant for. */
    public static final String HEADER = "Levee-Session";

    /** How many sources one session knows at most. */
    public static final int MAX_SOURCES = 32;

    private static final int MAX_HEADER_CHARS = 4096;
    private static final int HEX = 16;

    private final Map<String, Long> positions = new ConcurrentHashMap<>();

    /** Makes a session that has written and seen nothing. */
    public Session() {}

    /**
     * Reads a session as {@link #toHeader} writes it.
     *
     * @param header the value of a header; an empty one is a session that has seen nothing
     * @return the session
     * @throws NullPointerException if the header is null
     * @throws IllegalArgumentException if it is no session, longer than 4,096 characters, or names more than
     *     {@link #MAX_SOURCES} sources
     */
    public static Session parse(String header) {
        Session session = new Session();
        Require.range(
                "length of the session header",
                Require.nonNull("header", header).length(),
                0,
                MAX_HEADER_CHARS);
        for (String part : header.strip().split(",", -1)) {
            if (!part.isBlank()) {
                session.read(part.strip());
            }
        }
        return session;
    }

    private void read(String part) {
        int equals = part.indexOf('=');
        try {
            String source = URLDecoder.decode(part.substring(0, Math.max(equals, 0)), StandardCharsets.UTF_8);
            advance(Require.name(source), Long.parseLong(part.substring(equals + 1), HEX));
        } catch (IllegalArgumentException | IllegalStateException e) {
            throw new IllegalArgumentException(
                    "a part of a session header is no source=position: " + Text.printable(e.getMessage()), e);
        }
    }

    /**
     * Notes that a source was written or read at a position. A lower one than is known changes nothing.
     *
     * @param source the name of the database or cache; the same in every process
     * @param position in the history of the source, from 0
     * @throws NullPointerException if the source is null
     * @throws IllegalArgumentException if the name is blank or has a control character, or the position is less than 0
     * @throws IllegalStateException if the session knows {@link #MAX_SOURCES} others already
     */
    public void advance(String source, long position) {
        Require.name(source);
        Require.range("position", position, 0, Long.MAX_VALUE);
        if (positions.size() >= MAX_SOURCES && !positions.containsKey(source)) {
            throw new IllegalStateException("a session knows " + MAX_SOURCES + " sources at most");
        }
        positions.merge(source, position, Math::max);
    }

    /**
     * Ends a doubt: notes where a source was when it was asked after something may have been written there at a
     * position that is not known. Such a doubt is noted by {@link #advance} to {@link Long#MAX_VALUE}, which no source
     * reaches. Without one this changes nothing.
     *
     * @param source the name of the database or cache; the same in every process
     * @param position in the history of the source, from 0
     * @return whether there was a doubt
     * @throws NullPointerException if the source is null
     * @throws IllegalArgumentException if the position is less than 0
     */
    public boolean settle(String source, long position) {
        Require.range("position", position, 0, Long.MAX_VALUE);
        return positions.replace(Require.nonNull("source", source), Long.MAX_VALUE, position);
    }

    /**
     * Notes what another session has written and seen.
     *
     * @param other the session, which stays as it is
     * @throws NullPointerException if the session is null
     * @throws IllegalStateException if this one would know more than {@link #MAX_SOURCES} sources; some may be noted
     */
    public void merge(Session other) {
        Require.nonNull("session", other).positions.forEach(this::advance);
    }

    /**
     * Returns the position that reads of a source must have reached.
     *
     * @param source the name of the database or cache
     * @return from 0, which everything has reached
     * @throws NullPointerException if the source is null
     */
    public long position(String source) {
        return positions.getOrDefault(Require.nonNull("source", source), 0L);
    }

    /**
     * Returns the session as the value of a header: {@code source=position} for each source, positions in hexadecimal,
     * names percent-encoded, in the order of the names.
     *
     * @return ASCII, empty if nothing was written or seen
     */
    public String toHeader() {
        StringBuilder header = new StringBuilder();
        new TreeMap<>(positions)
                .forEach((source, position) -> header.append(header.isEmpty() ? "" : ",")
                        .append(URLEncoder.encode(source, StandardCharsets.UTF_8))
                        .append('=')
                        .append(Long.toHexString(position)));
        return header.toString();
    }

    @Override
    public String toString() {
        return "session [" + toHeader() + "]";
    }
}

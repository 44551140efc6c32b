package dev.levee.loadbalancing.discovery;

import java.io.ByteArrayOutputStream;
import java.net.IDN;
import java.net.InetAddress;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * An answer of a DNS server, and how questions and answers look on the wire (RFC 1035; P. Mockapetris, 1987). Names are in lower case,
 * without the last dot.
 *
 * @param code 0 for none, or what went wrong
 * @param authoritative whether the server says so for its own zone
 * @param recursive whether the server asks others
 * @param answers the records that answer
 * @param additional records that the server thinks will be asked for next
 */
record DnsMessage(
        int code, boolean authoritative, boolean recursive, List<DnsRecord> answers, List<DnsRecord> additional) {
    static final int A = 1;
    static final int CNAME = 5;
    static final int AAAA = 28;
    static final int SRV = 33;

    static final int NO_ERROR = 0;
    static final int NO_SUCH_NAME = 3;

    /** How the question in an answer compares with the one that was asked. */
    enum Match {
        /** It is another one: not our answer. */
        OTHER,
        /** It is the same but for upper and lower case. */
        ANOTHER_CASE,
        SAME
    }

    private static final int IN = 1;
    private static final int HEADER = 12;
    private static final int MAX_LABEL = 63;
    private static final int MAX_NAME = 253;
    private static final int POINTER = 0xC0;
    private static final int IS_ANSWER = 0x8000;
    private static final int OPERATION = 0x7800;
    private static final int AUTHORITATIVE = 0x0400;
    private static final int TRUNCATED = 0x0200;
    private static final int RECURSION_WANTED = 0x0100;
    private static final int RECURSION_AVAILABLE = 0x0080;
    private static final int CODE = 0x000F;

    /**
     * A record.
     *
     * @param name whose it is
     * @param ttlSeconds how long it is good for
     * @param address of an A or AAAA record
     * @param target of a CNAME or SRV record
     */
    record DnsRecord(
            String name,
            int type,
            long ttlSeconds,
            @Nullable InetAddress address,
            @Nullable String target,
            int priority,
            int weight,
            int port) {}

    /** A name as it is sent: ASCII, in lower case, without a last dot. */
    static String name(String text) {
        String ascii;
        try {
            String dotless = text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
            ascii = dotless.chars().allMatch(c -> c < 128) ? dotless : IDN.toASCII(dotless);
        } catch (IllegalArgumentException wrong) {
            throw new IllegalArgumentException("name must be one that DNS knows, but was \"" + text + "\"", wrong);
        }
        for (String label : ascii.split("\\.", -1)) {
            if (label.isEmpty() || label.length() > MAX_LABEL || !label.chars().allMatch(DnsMessage::isPlain)) {
                throw new IllegalArgumentException(
                        "name must have labels of 1 to 63 letters, digits, - or _, but was \"" + text + "\"");
            }
        }
        if (ascii.length() > MAX_NAME) {
            throw new IllegalArgumentException("name must be at most 253 characters long, but was \"" + text + "\"");
        }
        return ascii.toLowerCase(Locale.ROOT);
    }

    private static boolean isPlain(int c) {
        return isLetter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_';
    }

    private static boolean isLetter(int c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }

    // ---- questions

    /**
     * A question on the wire. Its id is random, and so is the case of each letter of the name, which the answer has to repeat: what an
     * attacker who does not see the question would have to guess (P. Vixie and D. Dagon, "Use of Bit 0x20 in DNS Labels", 2008).
     */
    static byte[] question(String name, int type, RandomGenerator random) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(HEADER + name.length() + 6);
        twoBytes(out, random.nextInt(1 << 16));
        twoBytes(out, RECURSION_WANTED);
        twoBytes(out, 1);
        twoBytes(out, 0);
        twoBytes(out, 0);
        twoBytes(out, 0);
        for (String label : name.split("\\.", -1)) {
            out.write(label.length());
            for (int i = 0; i < label.length(); i++) {
                char c = label.charAt(i);
                out.write(isLetter(c) && random.nextBoolean() ? c ^ 0x20 : c);
            }
        }
        out.write(0);
        twoBytes(out, type);
        twoBytes(out, IN);
        return out.toByteArray();
    }

    private static void twoBytes(ByteArrayOutputStream out, int value) {
        out.write(value >>> 8);
        out.write(value);
    }

    // ---- answers

    /** Whether bytes are the answer to a question. Looks at the header and the question in it, at nothing else. */
    static Match match(byte[] question, ByteBuffer answer) {
        if (answer.remaining() < question.length
                || answer.get(0) != question[0]
                || answer.get(1) != question[1]
                || (answer.getShort(2) & (IS_ANSWER | OPERATION)) != IS_ANSWER
                || answer.getShort(4) != 1) {
            return Match.OTHER;
        }
        Match match = Match.SAME;
        for (int i = HEADER; i < question.length; i++) {
            if (answer.get(i) != question[i]) {
                boolean letter = i < question.length - 5 && isLetter(question[i]);
                if (!letter || answer.get(i) != (question[i] ^ 0x20)) {
                    return Match.OTHER;
                }
                match = Match.ANOTHER_CASE;
            }
        }
        return match;
    }

    static boolean isTruncated(ByteBuffer answer) {
        return (answer.getShort(2) & TRUNCATED) != 0;
    }

    /** Reads an answer that matches its question. */
    static DnsMessage read(byte[] question, ByteBuffer answer) throws ProtocolException {
        try {
            int flags = answer.getShort(2);
            int[] counts = {answer.getShort(6) & 0xFFFF, answer.getShort(8) & 0xFFFF, answer.getShort(10) & 0xFFFF};
            ByteBuffer in = answer.duplicate().position(question.length);
            List<DnsRecord> answers = records(in, counts[0]);
            records(in, counts[1]);
            List<DnsRecord> additional = records(in, counts[2]);
            return new DnsMessage(
                    flags & CODE,
                    (flags & AUTHORITATIVE) != 0,
                    (flags & RECURSION_AVAILABLE) != 0,
                    answers,
                    additional);
        } catch (IndexOutOfBoundsException | java.nio.BufferUnderflowException | IllegalArgumentException cut) {
            throw malformed("it ends in the midst of a record", cut);
        }
    }

    private static List<DnsRecord> records(ByteBuffer in, int count) throws ProtocolException {
        List<DnsRecord> records = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            DnsRecord record = record(in);
            if (record != null) {
                records.add(record);
            }
        }
        return records;
    }

    /** One record; null if it is of a kind that nobody asked for. */
    private static @Nullable DnsRecord record(ByteBuffer in) throws ProtocolException {
        String name = readName(in);
        int type = in.getShort() & 0xFFFF;
        int dnsClass = in.getShort() & 0xFFFF;
        int ttl = in.getInt();
        int length = in.getShort() & 0xFFFF;
        int end = in.position() + length;
        if (end > in.limit()) {
            throw malformed("a record is longer than the message", null);
        }
        DnsRecord record = null;
        if (dnsClass == IN) {
            record = data(in, name, type, Math.max(ttl, 0), length); // RFC 2181: a TTL with its first bit set is 0
        }
        if (record != null && in.position() != end) {
            throw malformed("a record is not as long as it says", null);
        }
        in.position(end);
        return record;
    }

    private static @Nullable DnsRecord data(ByteBuffer in, String name, int type, long ttl, int length)
            throws ProtocolException {
        return switch (type) {
            case A -> new DnsRecord(name, type, ttl, address(in, length, 4), null, 0, 0, 0);
            case AAAA -> new DnsRecord(name, type, ttl, address(in, length, 16), null, 0, 0, 0);
            case CNAME -> new DnsRecord(name, type, ttl, null, readName(in), 0, 0, 0);
            case SRV -> {
                int priority = in.getShort() & 0xFFFF;
                int weight = in.getShort() & 0xFFFF;
                int port = in.getShort() & 0xFFFF;
                yield new DnsRecord(name, type, ttl, null, readName(in), priority, weight, port);
            }
            default -> null;
        };
    }

    private static InetAddress address(ByteBuffer in, int length, int expected) throws ProtocolException {
        if (length != expected) {
            throw malformed("an address has " + length + " bytes", null);
        }
        byte[] bytes = new byte[expected];
        in.get(bytes);
        try {
            return InetAddress.getByAddress(bytes);
        } catch (java.net.UnknownHostException impossible) {
            throw new AssertionError(impossible);
        }
    }

    /** Follows pointers only to the front of where it has been, so it comes to an end. */
    private static String readName(ByteBuffer in) throws ProtocolException {
        StringBuilder name = new StringBuilder();
        int at = in.position();
        int before = at;
        int end = -1;
        while (true) {
            int length = in.get(at) & 0xFF;
            if (length == 0) {
                in.position(end < 0 ? at + 1 : end);
                return name.toString();
            }
            if (length >= POINTER) {
                int target = in.getShort(at) & 0x3FFF;
                if (target >= before) {
                    throw malformed("a name points to itself or further on", null);
                }
                end = end < 0 ? at + 2 : end;
                at = target;
                before = target;
            } else if (length > MAX_LABEL) {
                throw malformed("a label of an unknown kind", null);
            } else {
                label(in, at + 1, length, name);
                at += 1 + length;
            }
        }
    }

    private static void label(ByteBuffer in, int from, int length, StringBuilder name) throws ProtocolException {
        if (name.length() > 0) {
            name.append('.');
        }
        for (int i = 0; i < length; i++) {
            int c = in.get(from + i) & 0xFF;
            if (isPlain(c) || c == '*') {
                name.append((char) (c >= 'A' && c <= 'Z' ? c | 0x20 : c));
            } else { // so that a dot in a label is not one between labels
                name.append(String.format("\\%03d", c));
            }
        }
        if (name.length() > MAX_NAME * 4) {
            throw malformed("a name is too long", null);
        }
    }

    private static ProtocolException malformed(String why, @Nullable Throwable cause) {
        ProtocolException exception = new ProtocolException("the answer cannot be read: " + why);
        if (cause != null) {
            exception.initCause(cause);
        }
        return exception;
    }

    /** What a code means. */
    static String text(int code) {
        List<String> names = Arrays.asList("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED");
        return code < names.size() ? names.get(code) : "code " + code;
    }
}

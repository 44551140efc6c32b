package dev.levee.ratelimit;

import dev.levee.core.internal.Text;

/**
 * Reads an address in the text forms of RFC 4291 section 2.2, and IPv4 in dotted decimals, strictly; it looks up no
 * names. For one text; not thread-safe.
 */
final class AddressParser {
    private static final int GROUPS = 8;
    private static final int MAX_ZONE_LENGTH = 64;

    private final CharSequence text;

    /** Without the zone id. */
    private final int end;

    private int at;
    private boolean ipv4;
    private long high;
    private long low;

    AddressParser(CharSequence text) {
        this.text = text;
        int zone = indexOf('%');
        end = zone < 0 ? text.length() : zone;
        if (indexOf(':') >= 0) {
            require(zone < 0 || isZone(zone + 1));
            parseIpv6();
        } else {
            require(zone < 0);
            ipv4 = true;
            low = dottedDecimals();
        }
        require(at == end);
    }

    boolean isIpv4() {
        return ipv4;
    }

    long ipv4() {
        return low;
    }

    long high() {
        return high;
    }

    long low() {
        return low;
    }

    private int indexOf(char wanted) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) == wanted) {
                return i;
            }
        }
        return -1;
    }

    private void require(boolean valid) {
        if (!valid) {
            throw new IllegalArgumentException(
                    "text must be an IPv4 or IPv6 address, but was \"" + Text.printable(text) + "\"");
        }
    }

    /** Returns whether there is a zone id from a place on: letters, digits and what names of interfaces have else. */
    private boolean isZone(int from) {
        for (int i = from; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z' && c < 0x80;
            if (!letter && !isDigit(c) && c != '.' && c != '_' && c != '-' && c != '~') {
                return false;
            }
        }
        return from < text.length() && text.length() - from <= MAX_ZONE_LENGTH;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private boolean isNext(char wanted) {
        return at < end && text.charAt(at) == wanted;
    }

    private void parseIpv6() {
        int count = 0;
        int gap = -1;
        if (isNext(':')) {
            require(at + 1 < end && text.charAt(at + 1) == ':');
        }
        while (at < end) {
            if (isNext(':')) { // the second one of two
                require(gap < 0 && count < GROUPS);
                gap = count;
                at += at == 0 ? 2 : 1;
                continue;
            }
            require(count < GROUPS);
            if (isDottedDecimal()) {
                require(count <= GROUPS - 2);
                long decimals = dottedDecimals();
                require(at == end);
                append((int) (decimals >>> 16));
                append((int) decimals & 0xFFFF);
                count += 2;
                break;
            }
            append(group());
            count++;
            if (at < end) {
                require(isNext(':'));
                at++;
                require(at < end); // a single colon at the end
            }
        }
        require(gap < 0 ? count == GROUPS : count < GROUPS);
        if (gap >= 0) {
            insert(gap, GROUPS - count);
        }
    }

    private void append(int group) {
        high = high << 16 | low >>> 48;
        low = low << 16 | group;
    }

    /** Inserts groups of 0 after a number of groups; what was read so far is in the lowest groups. */
    private void insert(int after, int zeros) {
        long[] groups = new long[GROUPS];
        int count = GROUPS - zeros;
        for (int i = 0; i < count; i++) {
            int place = GROUPS - count + i;
            long value = (place < 4 ? high : low) >>> (16 * (3 - (place & 3))) & 0xFFFF;
            groups[i < after ? i : i + zeros] = value;
        }
        high = groups[0] << 48 | groups[1] << 32 | groups[2] << 16 | groups[3];
        low = groups[4] << 48 | groups[5] << 32 | groups[6] << 16 | groups[7];
    }

    private boolean isDottedDecimal() {
        int i = at;
        while (i < end && isDigit(text.charAt(i))) {
            i++;
        }
        return i < end && text.charAt(i) == '.';
    }

    private int group() {
        int begin = at;
        int value = 0;
        while (at < end && at - begin < 4) {
            int digit = hexDigit(text.charAt(at));
            if (digit < 0) {
                break;
            }
            value = value << 4 | digit;
            at++;
        }
        require(at > begin);
        return value;
    }

    private static int hexDigit(char c) {
        if (isDigit(c)) {
            return c - '0';
        }
        int lower = c | 0x20;
        return c < 0x80 && lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
    }

    private long dottedDecimals() {
        long address = 0;
        for (int part = 0; part < 4; part++) {
            if (part > 0) {
                require(isNext('.'));
                at++;
            }
            address = address << 8 | decimal();
        }
        return address;
    }

    private int decimal() {
        int begin = at;
        int value = 0;
        while (at < end && at - begin < 3 && isDigit(text.charAt(at))) {
            value = value * 10 + (text.charAt(at) - '0');
            at++;
        }
        require(at > begin && value <= 255 && (at - begin == 1 || text.charAt(begin) != '0'));
        return value;
    }
}

package dev.levee.loadbalancing.strategy;

import dev.levee.loadbalancing.hash.XxHash64;

/** Hashes textual IP addresses by the address, however it is written, and every other text as it is. */
final class IpHash {
    private IpHash() {}

    static long hash(CharSequence key) {
        if (indexOf(key, ':') < 0) {
            long four = ipv4(key, 0, key.length());
            return four < 0 ? XxHash64.hash(key) : hash(0L, 0xFFFF00000000L | four);
        }
        boolean bracketed = key.charAt(0) == '[' && key.charAt(key.length() - 1) == ']';
        int last = bracketed ? key.length() - 1 : key.length();
        int zone = indexOf(key, '%');
        return ipv6(key, bracketed ? 1 : 0, zone < 0 ? last : zone, last);
    }

    private static long hash(long high, long low) {
        return XxHash64.hash(low, XxHash64.hash(high));
    }

    /**
     * Reads eight groups of 16 bits; a double colon may stand for some of them, and an IPv4 address for the last two.
     */
    private static long ipv6(CharSequence key, int start, int end, int last) {
        // The groups so far, at the right end of 128 bits.
        long high = 0;
        long low = 0;
        // Those before the double colon.
        long headHigh = 0;
        long headLow = 0;
        int groups = 0;
        int gap = -1; // how many groups stand before the double colon
        int at = start;
        if (end - start >= 2 && key.charAt(start) == ':' && key.charAt(start + 1) == ':') {
            gap = 0;
            at = start + 2;
        }
        while (at < end) {
            int stop = at;
            while (stop < end && key.charAt(stop) != ':') {
                stop++;
            }
            long four = stop == end ? ipv4(key, at, end) : -1;
            if (four >= 0) {
                high = (high << 32) | (low >>> 32);
                low = (low << 32) | four;
                groups += 2;
                at = end;
                break;
            }
            int group = hex(key, at, stop);
            if (group < 0 || groups == 8) {
                return XxHash64.hash(key);
            }
            high = (high << 16) | (low >>> 48);
            low = (low << 16) | group;
            groups++;
            at = stop;
            if (at < end) {
                at++; // the colon
                if (at == end) {
                    return XxHash64.hash(key);
                }
                if (key.charAt(at) == ':') {
                    if (gap >= 0) {
                        return XxHash64.hash(key);
                    }
                    gap = groups;
                    headHigh = high;
                    headLow = low;
                    high = 0;
                    low = 0;
                    at++;
                }
            }
        }
        if (gap < 0 ? groups != 8 : groups > 7) {
            return XxHash64.hash(key);
        }
        for (int shifts = gap < 0 ? 0 : 8 - gap; shifts > 0 && gap > 0; shifts--) {
            headHigh = (headHigh << 16) | (headLow >>> 48);
            headLow <<= 16;
        }
        long hash = hash(headHigh | high, headLow | low);
        return end == last ? hash : zoned(hash, key, end, last);
    }

    private static long zoned(long hash, CharSequence key, int zone, int last) {
        long mixed = hash;
        for (int i = zone; i < last; i++) {
            mixed = XxHash64.hash(key.charAt(i), mixed);
        }
        return mixed;
    }

    /** Reads four decimal numbers without leading zeros; -1 if it is anything else. */
    private static long ipv4(CharSequence key, int start, int end) {
        long address = 0;
        int numbers = 0;
        int at = start;
        while (at < end) {
            int number = 0;
            int digits = 0;
            while (at < end && key.charAt(at) >= '0' && key.charAt(at) <= '9' && digits < 4) {
                number = number * 10 + key.charAt(at++) - '0';
                digits++;
            }
            boolean leadingZero = digits > 1 && key.charAt(at - digits) == '0';
            if (digits == 0 || leadingZero || number > 255 || ++numbers > 4) {
                return -1;
            }
            address = (address << 8) | number;
            if (at < end && (key.charAt(at) != '.' || ++at == end)) {
                return -1;
            }
        }
        return numbers == 4 ? address : -1;
    }

    private static int hex(CharSequence key, int start, int end) {
        if (start == end || end - start > 4) {
            return -1;
        }
        int value = 0;
        for (int i = start; i < end; i++) {
            char digit = key.charAt(i);
            int nibble = digit < 0x80 ? Character.digit(digit, 16) : -1;
            if (nibble < 0) {
                return -1;
            }
            value = (value << 4) | nibble;
        }
        return value;
    }

    private static int indexOf(CharSequence key, char wanted) {
        for (int i = 0; i < key.length(); i++) {
            if (key.charAt(i) == wanted) {
                return i;
            }
        }
        return -1;
    }
}

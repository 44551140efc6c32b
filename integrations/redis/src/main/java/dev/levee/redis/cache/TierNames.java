package dev.levee.redis.cache;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/** The names of keys in Redis. */
final class TierNames {
    private final byte[] leases;
    final byte[] prefix;
    final byte[] sequence;
    final byte[] floor;
    final byte[] tags;
    final byte[] settling;
    private final String channel;

    TierNames(String prefix) {
        this.prefix = (prefix + "v:").getBytes(StandardCharsets.UTF_8);
        leases = (prefix + "l:").getBytes(StandardCharsets.UTF_8);
        sequence = (prefix + 'q').getBytes(StandardCharsets.UTF_8);
        floor = (prefix + 'f').getBytes(StandardCharsets.UTF_8);
        tags = (prefix + 't').getBytes(StandardCharsets.UTF_8);
        settling = (prefix + 's').getBytes(StandardCharsets.UTF_8);
        channel = prefix + 'i';
    }

    /** Returns the channel of messages. A server has its channels for all of its databases, so each has its own. */
    byte[] channel(int database) {
        return (database == 0 ? channel : channel + database).getBytes(StandardCharsets.UTF_8);
    }

    byte[] value(byte[] key) {
        return joined(prefix, key);
    }

    boolean isValue(byte[] name) {
        return name.length >= prefix.length && Arrays.equals(name, 0, prefix.length, prefix, 0, prefix.length);
    }

    byte[] keyOf(byte[] name) {
        return Arrays.copyOfRange(name, prefix.length, name.length);
    }

    /** Returns the pattern of all names of values. */
    byte[] pattern() {
        ByteArrayOutputStream pattern = new ByteArrayOutputStream();
        for (byte each : prefix) {
            if ("\\*?[]^-".indexOf(each) >= 0) {
                pattern.write('\\');
            }
            pattern.write(each);
        }
        pattern.write('*');
        return pattern.toByteArray();
    }

    byte[] lease(byte[] key) {
        return joined(leases, key);
    }

    /** Returns the names that a change of a key needs. */
    byte[][] changed(byte[] key) {
        return new byte[][] {value(key), lease(key), sequence};
    }

    /** Returns some names, and for each key those of its value and its lease. */
    byte[][] all(byte[][] first, List<byte[]> keys) {
        byte[][] all = Arrays.copyOf(first, first.length + 2 * keys.size());
        int next = first.length;
        for (byte[] key : keys) {
            all[next++] = value(key);
            all[next++] = lease(key);
        }
        return all;
    }

    private static byte[] joined(byte[] prefix, byte[] key) {
        byte[] both = Arrays.copyOf(prefix, prefix.length + key.length);
        System.arraycopy(key, 0, both, prefix.length, key.length);
        return both;
    }
}

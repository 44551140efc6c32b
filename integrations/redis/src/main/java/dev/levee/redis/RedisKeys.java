package dev.levee.redis;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The names of keys in Redis: a hash tag of the prefix and the number of the shard, so that all of a shard are in one
 * slot of a cluster, then limiter and key.
 *
 * <pre>
 * {levee:0}                    the mark of shard 0
 * {levee:0}:payments:alice     a key of a limiter
 * {levee:0}:payments#tJ6c...   one that is long, or has halves of surrogate pairs: its digest
 * {levee:0}b:payments          the leases of a bulkhead
 * </pre>
 */
final class RedisKeys {
    private static final int MAX_KEY_CHARS = 64;
    private static final int NODE_CHARS = 12;

    /** How many names are kept escaped; they come from the code, so there are few. */
    private static final int MAX_NAMES = 10_000;

    private final String prefix;
    private final byte[][] marks;
    private final Map<String, String> names = new ConcurrentHashMap<>();

    RedisKeys(RedisLimitConfig config) {
        this.prefix = config.prefix();
        this.marks = new byte[config.shards()][];
        Arrays.setAll(marks, shard -> bytes(tag(shard)));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Returns the shard of a key: the same in every process. */
    int shard(String limiter, String key) {
        int hash = 31 * limiter.hashCode() + key.hashCode();
        hash = (hash ^ hash >>> 16) * 0x85EBCA6B;
        hash = (hash ^ hash >>> 13) * 0xC2B2AE35;
        return Math.floorMod(hash ^ hash >>> 16, marks.length);
    }

    private String tag(int shard) {
        return "{" + prefix + ":" + shard + "}";
    }

    byte[] mark(int shard) {
        return marks[shard];
    }

    byte[] of(int shard, String limiter, String key) {
        return bytes(tag(shard) + ":" + name(limiter) + (isPlain(key) ? ":" + key : "#" + digest(key)));
    }

    byte[] bulkhead(int shard, String name) {
        return bytes(tag(shard) + "b:" + name(name));
    }

    private static boolean isPlain(String key) {
        boolean isPlain = key.length() <= MAX_KEY_CHARS;
        for (int i = 0; isPlain && i < key.length(); i++) {
            isPlain = !Character.isSurrogate(key.charAt(i));
        }
        return isPlain;
    }

    private String name(String name) {
        String known = names.get(name);
        if (known == null) {
            known = escaped(name);
            if (names.size() < MAX_NAMES) {
                names.put(name, known);
            }
        }
        return known;
    }

    private static String escaped(String name) {
        if (!isPlain(name)) {
            return "#" + digest(name);
        }
        return name.replace("%", "%25").replace(":", "%3A").replace("#", "%23").replace("}", "%7D");
    }

    private static String digest(String text) {
        return Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString(RedisScript.digest("SHA-256", text.getBytes(StandardCharsets.UTF_16BE)));
    }

    /** Returns a short name of a process, without blanks and commas: 72 bits of a digest if its own is long. */
    static String node(String node) {
        boolean isShort = node.length() <= NODE_CHARS
                && !node.isEmpty()
                && node.chars().allMatch(it -> it < 128 && Character.isLetterOrDigit(it));
        return isShort ? node : "." + digest(node).substring(0, NODE_CHARS);
    }
}

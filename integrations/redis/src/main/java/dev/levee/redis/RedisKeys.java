package dev.levee.redis;

import java.nio.charset.StandardCharsets;
import java.util.Base64;

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

    private final String prefix;
    private final int shards;

    RedisKeys(RedisLimitConfig config) {
        this.prefix = config.prefix();
        this.shards = config.shards();
    }

    /** Returns the shard of a key: the same in every process. */
    int shard(String limiter, String key) {
        int hash = 31 * limiter.hashCode() + key.hashCode();
        hash = (hash ^ hash >>> 16) * 0x85EBCA6B;
        hash = (hash ^ hash >>> 13) * 0xC2B2AE35;
        return Math.floorMod(hash ^ hash >>> 16, shards);
    }

    String mark(int shard) {
        return "{" + prefix + ":" + shard + "}";
    }

    String of(int shard, String limiter, String key) {
        return mark(shard) + ":" + escaped(limiter) + (isPlain(key) ? ":" + key : "#" + digest(key));
    }

    String bulkhead(int shard, String name) {
        return mark(shard) + "b:" + escaped(name);
    }

    private static boolean isPlain(String key) {
        return key.length() <= MAX_KEY_CHARS && key.chars().noneMatch(it -> Character.isSurrogate((char) it));
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

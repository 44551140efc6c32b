package dev.levee.redis.cache;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** A script and the digest by which a server knows it. */
final class TierScript {
    final byte[] text;
    final String digest;

    TierScript(String source) {
        text = source.getBytes(StandardCharsets.US_ASCII);
        try {
            digest = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-1").digest(text));
        } catch (NoSuchAlgorithmException none) {
            throw new IllegalStateException("SHA-1 is part of every Java platform", none);
        }
    }
}

package dev.levee.benchmarks;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Map;
import java.util.TreeMap;

/** A ketama ring as it is found in many a client, written plainly: points of MD5 in a {@link TreeMap}. */
final class TreeMapRing {
    private static final int POINTS_OF_A_DIGEST = 4;

    private final TreeMap<Long, Integer> points = new TreeMap<>();

    TreeMapRing(int members, int pointsEach) {
        for (int member = 0; member < members; member++) {
            for (int digest = 0; digest < pointsEach / POINTS_OF_A_DIGEST; digest++) {
                ByteBuffer bytes = md5("10.0.0." + member + ":11211-" + digest);
                for (int i = 0; i < POINTS_OF_A_DIGEST; i++) {
                    points.put(bytes.getInt() & 0xFFFFFFFFL, member);
                }
            }
        }
    }

    private static ByteBuffer md5(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("MD5").digest(text.getBytes(StandardCharsets.UTF_8));
            return ByteBuffer.wrap(digest).order(ByteOrder.LITTLE_ENDIAN);
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError(impossible);
        }
    }

    int member(long hash) {
        Map.Entry<Long, Integer> point = points.ceilingEntry(hash & 0xFFFFFFFFL);
        return (point == null ? points.firstEntry() : point).getValue();
    }

    int points() {
        return points.size();
    }
}

package dev.levee.http;

import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.Set;

/** Knows the publishers of the JDK that give the same bytes each time. Those that are not known may not. */
final class ReplayableBodies {
    private static final Module JDK = BodyPublishers.noBody().getClass().getModule();
    /**
     * Of {@code ofString}, {@code ofByteArray}, {@code ofFile} and {@code noBody}; the last cannot be made without a
     * file.
     */
    private static final Set<String> KNOWN = Set.of(
            BodyPublishers.ofString("").getClass().getName(),
            BodyPublishers.ofByteArray(new byte[0]).getClass().getName(),
            BodyPublishers.noBody().getClass().getName(),
            "jdk.internal.net.http.RequestPublishers$FilePublisher");

    private ReplayableBodies() {}

    static boolean contains(BodyPublisher publisher) {
        return publisher.contentLength() == 0
                || (publisher.getClass().getModule() == JDK
                        && KNOWN.contains(publisher.getClass().getName()));
    }
}

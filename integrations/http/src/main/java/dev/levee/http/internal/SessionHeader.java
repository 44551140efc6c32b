package dev.levee.http.internal;

import dev.levee.core.CallContext;
import dev.levee.core.consistency.Session;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Sends the session of a call along with its requests, and takes in what responses say of it. */
public final class SessionHeader {
    private SessionHeader() {}

    /**
     * Returns the session of the current call.
     *
     * @param isSent whether the settings want it sent
     * @return the session, or null if there is none or it is not to be sent
     */
    public static @Nullable Session current(boolean isSent) {
        return isSent ? CallContext.current().session() : null;
    }

    /**
     * Notes in a session what a response says.
     *
     * @param session of the call
     * @param values those of the header, in the order of the response; what is malformed says nothing
     */
    public static void takeIn(Session session, List<String> values) {
        if (values.isEmpty()) {
            return;
        }
        try {
            session.merge(Session.parse(String.join(",", values)));
        } catch (IllegalArgumentException | IllegalStateException malformed) {
            // An answer is an answer: what cannot be understood is left out.
        }
    }
}

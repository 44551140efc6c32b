package dev.levee.core.internal;

import java.util.regex.Pattern;

/** Writes addresses so that they can be logged. */
public final class Addresses {
    private static final Pattern URI_PARTS = Pattern.compile("://(?:[^/?#\\s\"]*@)?([^?#;\\s\"]*)(?:[?#;][^\\s\"]*)?");

    private Addresses() {}

    /**
     * Leaves user info, query, fragment and parameters out of each URI in a text: there may be passwords in them.
     *
     * @param text a URI, or a text with URIs in it; anything else stays as it is
     * @return such as {@code http://catalog:8080/v1} for {@code http://user:secret@catalog:8080/v1?token=secret}
     */
    public static String withoutSecrets(String text) {
        return text.contains("://") ? URI_PARTS.matcher(text).replaceAll("://$1") : text;
    }
}

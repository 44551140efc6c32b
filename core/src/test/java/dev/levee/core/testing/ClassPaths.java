package dev.levee.core.testing;

import java.io.File;
import java.net.URI;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Class paths of processes that a test starts. */
public final class ClassPaths {
    private ClassPaths() {}

    /** What a process needs and no more, because most of its life is spent on its start: where some types come from. */
    public static String of(Class<?>... types) {
        return Stream.of(types)
                .map(type -> Path.of(URI.create(type.getProtectionDomain()
                                .getCodeSource()
                                .getLocation()
                                .toString()))
                        .toString())
                .distinct()
                .collect(Collectors.joining(File.pathSeparator));
    }
}

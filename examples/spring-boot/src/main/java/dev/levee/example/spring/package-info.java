/** A service whose calls are guarded and seen by configuration: see README.md. */
@NullMarked
package dev.levee.example.spring;

import org.jspecify.annotations.NullMarked;

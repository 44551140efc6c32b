/** What Spring Boot does with {@code levee.http} in its configuration; the same on Boot 3.5 and 4. */
@NullMarked
package dev.levee.spring.web.autoconfigure;

import org.jspecify.annotations.NullMarked;

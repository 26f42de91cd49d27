/**
 * Test kit: {@link org.litestream4j.test.AutoConfigureLitestream} gives a test class its own database file and replica,
 * {@link org.litestream4j.test.LitestreamAssertions} checks what can be restored, and
 * {@link org.litestream4j.test.LostDisk} loses the disk and starts the application again.
 */
@NullMarked
package org.litestream4j.test;

import org.jspecify.annotations.NullMarked;

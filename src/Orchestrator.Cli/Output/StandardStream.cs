using System.Runtime.InteropServices;

namespace Orchestrator.Cli.Output;

/// <summary>
/// Standard output or error, unbuffered. Unlike the console's own stream it tells when the reader has gone, so that
/// <c>orc get -w | head</c> ends.
/// </summary>
internal sealed class StandardStream(int descriptor) : Stream
{
    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="OutputClosedException">Nobody reads any more.</exception>
    public override unsafe void Write(ReadOnlySpan<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            for (nint written = 0; written < buffer.Length;)
            {
                var count = Native.Write(descriptor, start + written, buffer.Length - written);
                if (count >= 0)
                {
                    written += count;
                    continue;
                }

                switch (Marshal.GetLastPInvokeError())
                {
                    case Native.Eintr:
                        break;
                    case Native.Eagain:
                        // A pipe that another process made non-blocking is full: let its reader run.
                        Thread.Yield();
                        break;
                    case Native.Epipe:
                        throw new OutputClosedException();
                    default:
                        throw new IOException(Marshal.GetLastPInvokeErrorMessage());
                }
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}

/// <summary>The reader of our output has gone: end without a word.</summary>
internal sealed class OutputClosedException : IOException
{
    public OutputClosedException()
        : base("the reader of the output has gone")
    {
    }
}

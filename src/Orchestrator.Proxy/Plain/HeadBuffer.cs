using System.Text;

namespace Orchestrator.Proxy.Plain;

/// <summary>Where a request's head is written before it is sent. One a connection, used again for each of its requests.</summary>
internal sealed class HeadBuffer
{
    /// <summary>Of most heads; one that needed more gives it back.</summary>
    private const int UsualSize = 2048;

    private byte[] _bytes = new byte[UsualSize];
    private int _length;

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, _length);

    public void Clear()
    {
        _length = 0;
        if (_bytes.Length > 8 * UsualSize)
        {
            _bytes = new byte[UsualSize];
        }
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Free(bytes.Length));
        _length += bytes.Length;
    }

    /// <summary>As UTF-8, which is how the server has read what is no ASCII.</summary>
    public void Write(ReadOnlySpan<char> text) => _length += Encoding.UTF8.GetBytes(text, Free(Encoding.UTF8.GetMaxByteCount(text.Length)));

    private Span<byte> Free(int needed)
    {
        if (_bytes.Length - _length < needed)
        {
            Array.Resize(ref _bytes, Math.Max(2 * _bytes.Length, _length + needed));
        }

        return _bytes.AsSpan(_length);
    }
}

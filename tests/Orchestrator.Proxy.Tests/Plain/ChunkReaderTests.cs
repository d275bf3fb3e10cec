using System.Text;
using Orchestrator.Proxy.Plain;

namespace Orchestrator.Proxy.Tests.Plain;

public sealed class ChunkReaderTests
{
    [Theory]
    [InlineData("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde", "")]
    [InlineData("03;x=\"y\"\r\nabc\r\n000 \r\nX-A: 1\r\nX-B: 2\r\n\r\n", "abc", "X-A: 1|X-B: 2|")]
    [InlineData("0\r\n\r\n", "", "")]
    public void A_body_is_the_same_wherever_it_was_cut(string text, string body, string trailers)
    {
        var bytes = Encoding.ASCII.GetBytes(text + "next");
        for (var step = 1; step <= bytes.Length; step++)
        {
            Assert.Equal((body, trailers, text.Length), Read(bytes, step));
        }
    }

    [Theory]
    [InlineData("\r\n")]
    [InlineData("-1\r\n")]
    [InlineData("+1\r\n")]
    [InlineData(" 1\r\n")]
    [InlineData("0x1\r\n")]
    [InlineData("1\n")]
    [InlineData("1000000000000000\r\n")]
    [InlineData("1\r\nab\r\n")]
    [InlineData("1\r\na\n")]
    [InlineData("1;a\rb\r\n")]
    public void What_is_no_chunk_is_refused(string text) =>
        Assert.Throws<InvalidAnswerException>(() => Read(Encoding.ASCII.GetBytes(text), text.Length));

    [Fact]
    public void A_line_without_an_end_is_refused_before_it_fills_memory() =>
        Assert.Throws<InvalidAnswerException>(() => new ChunkReader().Read(Encoding.ASCII.GetBytes(new string('0', 9000))));

    private static (string Body, string Trailers, int Used) Read(byte[] bytes, int step)
    {
        var reader = new ChunkReader();
        var (body, trailers, start, end) = ("", "", 0, 0);
        while (!reader.IsEnded)
        {
            var piece = reader.Read(bytes.AsSpan(start, end - start));
            var text = Encoding.ASCII.GetString(bytes, start + piece.Start, piece.Length);
            (body, trailers) = piece.IsTrailer ? (body, $"{trailers}{text}|") : (body + text, trailers);
            start += piece.Used;
            end = piece.Length > 0 ? end : Math.Min(end + step, bytes.Length);
        }

        return (body, trailers, start);
    }
}

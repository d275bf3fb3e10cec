using System.Text;
using Microsoft.AspNetCore.Http;
using Orchestrator.Proxy.Plain;

namespace Orchestrator.Proxy.Tests.Plain;

/// <summary>What the differences between proxies do not show of the reading of answers.</summary>
public sealed class AnswerHeadTests
{
    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody", 25)]
    [InlineData("HTTP/1.1 200 OK\nA: b\n\nbody", 22)]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\r\n", 0)]
    [InlineData("\n\n", 2)]
    public void An_end_is_found_wherever_the_bytes_were_cut(string text, int end)
    {
        var bytes = Encoding.ASCII.GetBytes(text);
        for (var searched = 0; searched <= bytes.Length; searched++)
        {
            // As a reader does, which has looked at what came before.
            if (AnswerHead.EndIn(bytes.AsSpan(0, searched), 0) == 0)
            {
                Assert.Equal(end, AnswerHead.EndIn(bytes, searched));
            }
        }
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", BodyEnd.Length, 5, true)]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", BodyEnd.Length, 5, false)]
    [InlineData("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 5\r\n\r\n", BodyEnd.Length, 5, true)]
    [InlineData("HTTP/1.1 200 OK\r\nConnection: x, close\r\nContent-Length: 5\r\n\r\n", BodyEnd.Length, 5, false)]
    [InlineData("HTTP/1.1 200 OK\r\nConnection: close\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n", BodyEnd.Length, 5, false)]
    [InlineData("HTTP/1.1 200 OK\r\ntransfer-encoding: CHUNKED\r\n\r\n", BodyEnd.Chunked, 0, true)]
    [InlineData("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n", BodyEnd.Chunked, 0, false)]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n", BodyEnd.Close, 0, false)]
    [InlineData("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", BodyEnd.None, 0, true)]
    [InlineData("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n", BodyEnd.None, 0, true)]
    public void It_says_where_the_body_ends_and_whether_another_may_follow(string head, object body, long length, bool keeps)
    {
        var context = new DefaultHttpContext();

        var read = Read(head, context);

        Assert.Equal((body, length, keeps), (read.Body, read.Length, read.KeepsConnection));
    }

    [Fact]
    public void Nothing_of_an_interim_answer_stays()
    {
        var context = new DefaultHttpContext();

        Read("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n", context);

        Assert.Equal((200, 0), (context.Response.StatusCode, context.Response.Headers.Count));
    }

    [Fact]
    public void A_switch_of_protocols_that_nobody_asked_for_is_no_answer() =>
        Assert.Throws<InvalidAnswerException>(() => Read("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", new DefaultHttpContext()));

    [Fact]
    public void Values_that_come_again_are_the_same_string()
    {
        var (texts, first, second) = (new FieldTexts(), new DefaultHttpContext(), new DefaultHttpContext());
        var head = "HTTP/1.1 200 OK\r\nServer: web\r\nContent-Length: 0\r\n\r\n"u8.ToArray();
        AnswerHead.Read(head, first, texts, keepsId: true);
        AnswerHead.Read(head, second, texts, keepsId: true);

        Assert.Same(first.Response.Headers.Server[0], second.Response.Headers.Server[0]);
    }

    private static AnswerHead Read(string head, HttpContext context) => AnswerHead.Read(Encoding.Latin1.GetBytes(head), context, new FieldTexts(), keepsId: true);
}

using Microsoft.AspNetCore.Http;
using Orchestrator.Proxy.Balancing;
using Orchestrator.Proxy.Tracing;

namespace Orchestrator.Proxy.Tests.Tracing;

public sealed class TraceContextTests
{
    private const string Parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    [Theory]
    [InlineData(Parent, true)]
    [InlineData("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", true)]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", false)]
    [InlineData("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false)]
    [InlineData("00-00000000000000000000000000000000-b7ad6b7169203331-01", false)]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false)]
    [InlineData("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false)]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", false)]
    [InlineData("00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false)]
    [InlineData("", false)]
    public void A_parent_is_what_the_recommendation_says(string value, bool valid)
    {
        Assert.Equal(valid, TraceContext.IsValid(value));

        IHeaderDictionary headers = new HeaderDictionary { ["traceparent"] = value, ["tracestate"] = "a=1" };
        TraceContext.Continue(headers, random: null);
        Assert.Equal(valid ? value : null, headers.TraceParent);
        Assert.Equal(valid ? "a=1" : null, headers["tracestate"]);
    }

    [Fact]
    public void Where_there_is_none_or_a_bad_one_a_new_one_begins_if_wanted()
    {
        IHeaderDictionary headers = new HeaderDictionary { ["traceparent"] = "bad", ["tracestate"] = "a=1" };

        TraceContext.Continue(headers, new SharedRandom(1));

        Assert.True(TraceContext.IsValid(headers.TraceParent.ToString()));
        Assert.EndsWith("-00", headers.TraceParent.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, headers["tracestate"].Count);
    }

    [Fact]
    public void Two_parents_are_none()
    {
        IHeaderDictionary headers = new HeaderDictionary { ["traceparent"] = new[] { Parent, Parent } };

        TraceContext.Continue(headers, random: null);

        Assert.Equal(0, headers.TraceParent.Count);
    }
}

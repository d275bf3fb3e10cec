using Microsoft.AspNetCore.Http;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Tests.Routing;

public sealed class RedirectTests
{
    [Theory]
    [InlineData("/", "https://example.org", "/", "https://example.org/")]
    [InlineData("/", "https://example.org", "/a/b?x=1&y=%2F", "https://example.org/a/b?x=1&y=%2F")]
    [InlineData("/", "https://example.org/new/", "/a", "https://example.org/new/a")]
    [InlineData("/old", "/new", "/old", "/new")]
    [InlineData("/old", "/new", "/old/", "/new/")]
    [InlineData("/old", "/new", "/old/a%20b/%2F/c?q", "/new/a%20b/%2F/c?q")]
    [InlineData("/old/", "/new", "/old/a", "/new/a")]
    [InlineData("/old", "/", "/old", "/")]
    [InlineData("/old", "/", "/old/a", "/a")]
    [InlineData("/old", "/", "/old//evil.example.org/x", "/evil.example.org/x")]
    [InlineData("/old", "/new", "/x/../old/a%20b", "/new/a%20b")]
    [InlineData("/caf%C3%A9", "/coffee", "/caf%C3%A9/list", "/coffee/list")]
    [InlineData("/", "https://example.org", "http://www.example.org/a?b", "https://example.org/a?b")]
    public void What_follows_the_prefix_comes_after_the_new_place(string path, string to, string target, string location) =>
        Assert.Equal(location, Location(new RouteRedirect { Path = path, To = to }, target));

    [Fact]
    public void An_exact_path_leads_to_the_place_itself() =>
        Assert.Equal("/new?q=1", Location(new RouteRedirect { Path = "/old", PathType = PathTypes.Exact, To = "/new" }, "/old?q=1"));

    private static string Location(RouteRedirect redirect, string target)
    {
        // As Kestrel reads it: decoded but for %2F, without dot segments.
        var url = new Uri(target.StartsWith('/') ? "http://host" + target : target);
        return new Redirect(redirect).LocationFor(PathString.FromUriComponent(url), new QueryString(url.Query), target);
    }
}

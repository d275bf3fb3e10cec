using Microsoft.AspNetCore.Http;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Balancing;
using Orchestrator.Proxy.Routing;
using Orchestrator.Runtime;

namespace Orchestrator.Proxy.Tests.Routing;

/// <summary>Which of several routes serves a request, as the Gateway API orders them. Apps are listed from the oldest to the youngest.</summary>
public sealed class RoutePrecedenceTests : IDisposable
{
    private const int Shared = 8080;

    private readonly Routes _routes = new(Shared, new SharedRandom(1), TimeProvider.System);

    [Theory]
    [InlineData("GET", "/shop", "", "exact")]
    [InlineData("GET", "/shop/", "", "shop")]
    [InlineData("GET", "/shop/cart", "", "shop")]
    [InlineData("GET", "/SHOP", "", "root")]
    [InlineData("POST", "/api/users", "", "api methods")]
    [InlineData("PUT", "/api/users", "", "api methods")]
    [InlineData("GET", "/api/users", "", "api")]
    [InlineData("post", "/api/users", "", "api")]
    [InlineData("GET", "/api/users", "x-version=2", "api header")]
    [InlineData("GET", "/api/users", "X-VERSION=2", "api header")]
    [InlineData("GET", "/api/users", "x-version=22", "api")]
    [InlineData("GET", "/api/users", "x-version=2 x-user=anna", "api two headers")]
    [InlineData("POST", "/api/users", "x-version=2 x-user=anna", "api methods")]
    [InlineData("GET", "/api/users", "x-user=anna", "api")]
    [InlineData("GET", "/beta", "x-user=otto", "beta")]
    [InlineData("GET", "/beta", "x-user=anna", "root")]
    [InlineData("GET", "/beta", "", "root")]
    [InlineData("GET", "/broken", "x-user=anna", "root")]
    public void The_exact_path_then_the_longest_prefix_then_methods_then_the_number_of_headers_decides(string method, string path, string headers, string app)
    {
        Serve(
            ("root", "/", false, null),
            ("shop", "/shop", false, null),
            ("exact", "/shop", true, null),
            ("api", "/api", false, null),
            ("api header", "/api", false, Match([], "x-version=2")),
            ("api two headers", "/api", false, Match([], "x-version=2", "x-user~a.*")),
            ("api methods", "/api", false, Match(["POST", "PUT"])),
            ("beta", "/beta", false, Match([], "x-user~(otto|emil)")),
            ("broken", "/broken", false, Match([], "x-user~(")));

        Assert.Equal(app, Find(method, path, headers));
    }

    [Fact]
    public void Of_two_that_ask_for_as_much_the_older_is_asked_first()
    {
        Serve(("older", "/", false, Match([], "x-a=1")), ("younger", "/", false, Match([], "x-b=1")));

        Assert.Equal("older", Find("GET", "/", "x-a=1 x-b=1"));
        Assert.Equal("younger", Find("GET", "/", "x-b=1"));
        Assert.Null(Find("GET", "/", ""));
    }

    [Fact]
    public void What_fits_nowhere_on_a_host_is_asked_of_the_less_specific_hosts()
    {
        _routes.ReplaceAll(
        [
            RouteOf("any", new RouteClaim(null, null, "/"), null),
            RouteOf("posts", new RouteClaim(null, "a.example.org", "/", Match: "POST"), Match(["POST"])),
            RouteOf("wildcard", new RouteClaim(null, "*.example.org", "/", Match: "x=1"), Match([], "x=1")),
        ]);

        Assert.Equal("posts", Find("POST", "/", "x=1"));
        Assert.Equal("wildcard", Find("GET", "/", "x=1"));
        Assert.Equal("any", Find("GET", "/", ""));
    }

    [Fact]
    public void A_header_that_comes_twice_fits_by_one_of_its_values()
    {
        Serve(("app", "/", false, Match([], "x-a=2")));
        var request = new DefaultHttpContext().Request;
        request.Headers["x-a"] = new[] { "1", "2" };

        Assert.Equal("app", _routes.Table.Find(Shared, "a.example.org", "/", request)?.App.Key.Name);
    }

    [Fact]
    public void Another_match_takes_effect()
    {
        Serve(("app", "/", false, Match(["GET"])));
        Serve(("app", "/", false, Match(["POST"])));

        Assert.Null(Find("GET", "/", ""));
        Assert.Equal("app", Find("POST", "/", ""));
    }

    [Fact]
    public void A_look_up_allocates_nothing_with_matches_or_without()
    {
        Serve(
            ("root", "/", false, null), ("exact", "/shop/cart", true, null), ("shop", "/shop", false, Match(["POST"], "x-a=1")));
        var request = new DefaultHttpContext().Request;
        (request.Method, request.Headers["x-a"]) = ("GET", "1");
        _ = _routes.Table.Find(Shared, "a.example.org", "/shop/cart/1", request);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            _ = _routes.Table.Find(Shared, "a.example.org", "/shop/cart/1", request);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    public void Dispose() => _routes.Clear();

    private void Serve(params (string App, string Path, bool Exact, RouteMatch? Match)[] apps) => _routes.ReplaceAll(
        [.. apps.Select(app => RouteOf(app.App, new RouteClaim(null, "a.example.org", app.Path, app.Exact, app.Match?.ToString()), app.Match))]);

    private static AppRoute RouteOf(string app, RouteClaim claim, RouteMatch? match) =>
        new(new ObjectKey("default", app), new Route { Match = match, Path = claim.Path }, [claim], []);

    /// <param name="headers">name=value, or name~pattern.</param>
    private static RouteMatch Match(string[] methods, params string[] headers) => new()
    {
        Methods = methods,
        Headers = [.. headers.Select(header => new HeaderMatch
        {
            Name = header.Split('=', '~')[0],
            Value = header.Split('=', '~')[1],
            Type = header.Contains('~', StringComparison.Ordinal) ? HeaderMatchTypes.RegularExpression : HeaderMatchTypes.Exact,
        })],
    };

    private string? Find(string method, string path, string headers)
    {
        var request = new DefaultHttpContext().Request;
        request.Method = method;
        foreach (var header in headers.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            request.Headers[header.Split('=')[0]] = header.Split('=')[1];
        }

        return _routes.Table.Find(Shared, "a.example.org", path, request)?.App.Key.Name;
    }
}

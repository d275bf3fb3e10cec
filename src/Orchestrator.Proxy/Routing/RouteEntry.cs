using Microsoft.AspNetCore.Http;

namespace Orchestrator.Proxy.Routing;

/// <summary>What is found at a place of the table.</summary>
/// <param name="App">Whose place it is.</param>
/// <param name="Matcher">What else a request must be; null: any.</param>
/// <param name="Redirect">Where its requests are sent; null: to the app's endpoints.</param>
internal sealed record RouteEntry(AppState App, RequestMatcher? Matcher, Redirect? Redirect)
{
    /// <summary>The first that the request fits.</summary>
    /// <param name="entries">Of one place, in the order of <see cref="Insert"/>.</param>
    /// <param name="request">Null: fits only what asks for nothing.</param>
    public static RouteEntry? Find(RouteEntry[]? entries, HttpRequest? request)
    {
        foreach (var entry in entries ?? [])
        {
            if (entry.Matcher is null || (request is not null && entry.Matcher.Fits(request)))
            {
                return entry;
            }
        }

        return null;
    }

    /// <summary>Adds one that is younger than those there are: it comes after all that ask for as much.</summary>
    public static RouteEntry[] Insert(RouteEntry[]? entries, RouteEntry added)
    {
        if (entries is null)
        {
            return [added];
        }

        var index = Array.FindIndex(entries, entry => RequestMatcher.Compare(added.Matcher, entry.Matcher) > 0);
        return index < 0 ? [.. entries, added] : [.. entries[..index], added, .. entries[index..]];
    }
}

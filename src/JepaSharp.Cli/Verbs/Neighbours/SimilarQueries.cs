using JepaSharp.Cli.Reports;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Embeddings;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Verbs.Neighbours;

/// <summary>The images that others are compared with: files, a set, images of a file of embeddings, or another such file.</summary>
/// <param name="Source">The images.</param>
/// <param name="Features">Those of the images that could be read.</param>
/// <param name="AreOfTheFile">Whether they are images of the file that is searched, known there by their names.</param>
internal sealed record SimilarQueries(ImageSource Source, PooledFeatures Features, bool AreOfTheFile)
{
    /// <summary>How many.</summary>
    public int Count => Features.Matrix.Rows;

    /// <summary>A query's name.</summary>
    public string NameOf(int row) => Source.NameOf(Features.Indices[row]);

    /// <summary>Opens what <c>--query</c> names; it ends with the work.</summary>
    /// <exception cref="JepaException">There is no such image, or its features cannot be compared.</exception>
    public static SimilarQueries Open(NeighbourWork work, string query) => (work.Input.Session, work.Input.Stored) switch
    {
        ({ } session, _) => OfImages(work, session, query),
        (_, { } stored) when IsEmbeddings(query) => OfFile(work, stored, query),
        (_, var stored) => ByName(work, stored!, query),
    };

    /// <summary>Whether a query is a row of the set: an image is not its own neighbour.</summary>
    public Func<int, int, bool> Itself(NeighbourWork work)
    {
        if (AreOfTheFile) return (query, row) => string.Equals(NameOf(query), work.Source.NameOf(row), StringComparison.Ordinal);
        static string?[] Paths(ImageSource source, PooledFeatures features) =>
            [.. features.Indices.Select(index => source.PathOf(index) is { } path ? Path.GetFullPath(path) : null)];
        string?[] asked = Paths(Source, Features), own = Paths(work.Source, work.Features);
        return (query, row) => asked[query] is { } path && own[row] == path;
    }

    private static bool IsEmbeddings(string query) =>
        File.Exists(query) && Path.GetExtension(query).ToLowerInvariant() is ".parquet" or ".safetensors" or ".npy" or ".csv";

    private static SimilarQueries OfImages(NeighbourWork work, Features.FeatureSession session, string query)
    {
        var source = PredictVerb.OpenImages(query);
        work.Input.Owned.Add(source);
        SourceNotes.Print(source, work.Terminal);
        return new SimilarQueries(source, session.Of(source, query, "query images"), AreOfTheFile: false);
    }

    private static SimilarQueries OfFile(NeighbourWork work, StoredEmbeddings stored, string query)
    {
        var asked = StoredEmbeddings.Read(query);
        if (!stored.RequireComparable(asked))
            work.Terminal.Error.WriteLine(
                $"note: {(stored.Facts.Count == 0 ? stored.Path : asked.Path)} does not say how it was made: that both are of the same encoder is "
                    + "taken for granted.");
        var source = new EmbeddedImages(asked, null);
        work.Input.Owned.Add(source);
        return new SimilarQueries(
            source, new PooledFeatures(asked.Features, [.. Enumerable.Range(0, source.Count)]),
            AreOfTheFile: Path.GetFullPath(asked.Path) == Path.GetFullPath(stored.Path));
    }

    private static SimilarQueries ByName(NeighbourWork work, StoredEmbeddings stored, string query)
    {
        int[] rows = [.. stored.Names.Index().Where(name => name.Item == query).Select(name => name.Index)];
        if (rows.Length == 0)
            rows = [.. stored.Names.Index().Where(name => name.Item.EndsWith('/' + query, StringComparison.Ordinal)).Select(name => name.Index)];
        return rows switch
        {
            [var row] => new SimilarQueries(work.Source, new PooledFeatures(stored.Features.Select(rows), [row]), AreOfTheFile: true),
            [] => throw new JepaException(
                $"--query {query}: {stored.Path} has no image of that name; a name there looks like {stored.Names[0]}. For an image that is not in "
                    + "the file, embed it with the same 'jepa embed' into a file of its own, and give that.", isUsage: true),
            [var first, var second, ..] => throw new JepaException(
                $"--query {query}: {stored.Path} has several such images, {stored.Names[first]} and {stored.Names[second]}. Give the whole name.",
                isUsage: true),
        };
    }
}

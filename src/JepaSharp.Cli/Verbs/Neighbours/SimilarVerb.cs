using System.CommandLine;
using System.Globalization;
using System.Text;
using JepaSharp.Evaluation.Neighbours;
using JepaSharp.Reports;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Verbs.Neighbours;

/// <summary><c>jepa similar</c>: the images of a set that are most like given ones.</summary>
internal sealed class SimilarVerb : NeighbourVerb
{
    private readonly Option<string> _query = new("--query")
    {
        Description = "The image to look for, or a folder or set of images. With --embeddings the name of an image in the file, or another file.",
        Required = true,
        HelpName = "PATH",
    };
    private readonly Option<int> _count = new("--k") { Description = "How many of each.", DefaultValueFactory = _ => 10, HelpName = "N" };

    public SimilarVerb()
        : base("similar", "Finds the images of a set that are most like an image, or like each of several.")
    {
        Add(_query);
        Add(_count);
        _count.RequireAtLeast(1);
        AddShared();
    }

    protected override void Check(ParseResult arguments)
    {
        if (ReadsEmbeddings(arguments)) return;
        using var queries = PredictVerb.OpenImages(arguments.GetValue(_query)!); // before features of the whole set are made
    }

    protected override NeighbourFindings Find(NeighbourWork work)
    {
        var asked = SimilarQueries.Open(work, work.Arguments.GetValue(_query)!);
        using var search = work.Search();
        // One more: an image that is in the set itself is not its own neighbour.
        var count = work.Arguments.GetValue(_count);
        var found = work.With("neighbours", asked.Count,
            progress => search.Nearest(work.Vectors.Like(asked.Features.Matrix), count + 1, progress, work.Stop.Token));
        var isItself = asked.Itself(work);
        List<Similar>[] lists = [.. Enumerable.Range(0, asked.Count).Select(row => Of(found, row, count, isItself))];
        var table = new StringBuilder("query,rank,image,similarity\n");
        foreach (var (row, list) in lists.Index())
        {
            foreach (var (rank, image) in list.Index())
                table.Append(CultureInfo.InvariantCulture,
                    $"{Field(asked.NameOf(row))},{rank + 1},{Field(NameOf(work, image.Row))},{Number(image.Cosine)}\n");
        }

        var rows = Quantity.Of(lists.Length, "query", "queries");
        return new NeighbourFindings(table, $"the {count} most similar images to each of {rows}", Shown(lists.Length, "query", "queries"),
            path => WritePage(path, work, asked, lists));
    }

    private static void WritePage(string path, NeighbourWork work, SimilarQueries asked, List<Similar>[] lists)
    {
        ThumbnailPage.Write(path, $"Similar images in {work.Source.Description}",
            [$"By the {work.Input.Words}. Beside each image its cosine with the first of its row."],
            [.. lists.Take(MostRows).Index().Select(list => new PictureRow(
                asked.NameOf(list.Index),
                [Note(asked.Source, asked.Features.Indices[list.Index], "query", marked: true), .. list.Item.Select(
                    image => Note(work.Source, work.Features.Indices[image.Row], image.Cosine.ToString("F3", CultureInfo.InvariantCulture)))]))]);
    }

    private static string NameOf(NeighbourWork work, int row) => work.Source.NameOf(work.Features.Indices[row]);

    private static List<Similar> Of(NeighbourLists found, int row, int count, Func<int, int, bool> isItself) =>
        [.. Enumerable.Range(row * found.Count, found.Count).Where(at => found.Rows[at] >= 0 && !isItself(row, found.Rows[at]))
            .Take(count).Select(at => new Similar(found.Rows[at], found.Cosines[at]))];

    private sealed record Similar(int Row, float Cosine);
}

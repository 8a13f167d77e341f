using System.Globalization;
using JepaSharp.Data;
using JepaSharp.Evaluation;
using static JepaSharp.Reports.HtmlText;

namespace JepaSharp.Reports;

/// <summary>Masks, feature maps and nearest neighbours on the run's own images.</summary>
internal static class PicturesSection
{
    public static string Of(RunPictures pictures)
    {
        var features = string.Concat(pictures.Images.Select(i =>
            "<div class=\"set three\">" + PictureFigure.Of(i.Image, "image") + PictureFigure.Of(i.Untrained, "untrained", patches: true)
                + PictureFigure.Of(i.Trained, "trained", patches: true) + "</div>\n"));
        var neighbours = string.Concat(pictures.Neighbours.Select(Neighbours));
        return ObjectivePictures(pictures) + $"""
            <h2>What it makes of a patch</h2>
            <p>The first three principal components of the encoder's patch features as red, green and blue: patches of one colour are alike to it. One set of colours for all images of an encoder; the colours of
            the untrained and the trained one have nothing to do with one another. They show {Percent(pictures.TrainedShare)} of the variance of the trained one.</p>
            <div class="sets">
            {features}</div>
            <h2>What it finds alike</h2>
            <p>Framed: an image. Beside it: those of {Count(pictures.Searched)} images whose averaged features are nearest, with the cosine after the mean of all was taken away.</p>
            <div class="sets">
            {neighbours}</div>

            """;
    }

    private static string ObjectivePictures(RunPictures pictures)
    {
        if (pictures.Objective is not { } shown) return "";
        var rows = string.Concat(pictures.Images.Zip(shown.Rows, (image, row) =>
            $"<div class=\"set three\">{PictureFigure.Of(image.Image, "image")}"
            + $"{string.Concat(row.Select(p => PictureFigure.Of(p.Picture, p.Caption)))}</div>\n"));
        return $"""
            <h2>{Escape(shown.Title)}</h2>
            <p>{Escape(shown.Text)}</p>
            <div class="sets">
            {rows}</div>

            """;
    }

    private static string Neighbours(PicturedNeighbours found) =>
        $"<div class=\"set six\">{PictureFigure.Of(found.Query.Image, found.Query.Class ?? "", "query")}"
        + string.Concat(found.Nearest.Select(n => PictureFigure.Of(n.Image.Image, Caption(n.Image.Class, n.Cosine)))) + "</div>\n";

    private static string Caption(string? name, double cosine)
    {
        var number = cosine.ToString("0.00", CultureInfo.InvariantCulture);
        return name is null ? number : $"{name} {number}";
    }
}

/// <summary>A picture that stands in the page itself.</summary>
internal static class PictureFigure
{
    /// <summary>As HTML.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="caption">Below it.</param>
    /// <param name="kind">Class of the figure, for the page's style.</param>
    /// <param name="patches">Whether its pixels are patches, with hard edges.</param>
    public static string Of(RgbImage image, string caption, string kind = "", bool patches = false) =>
        $"<figure class=\"{kind}\"><img "
            + $"{(patches ? "class=\"patches\" " : "")}src=\"data:image/png;base64,{Convert.ToBase64String(image.ToPng())}\" "
            + $"width=\"{image.Width}\" height=\"{image.Height}\" alt=\"{Escape(caption)}\"><figcaption>{Escape(caption)}</figcaption></figure>";
}

/// <summary>For some images, the others whose features are nearest.</summary>
internal static class Neighbours
{
    /// <summary>Rows of the nearest by cosine, of features from which the mean over all images was taken: nearest first, the image itself left
    /// out.</summary>
    /// <param name="features">[n, D].</param>
    /// <param name="query">A row.</param>
    /// <param name="count">How many.</param>
    public static IReadOnlyList<(int Row, double Cosine)> Of(FeatureMatrix features, int query, int count)
    {
        var mean = new double[features.Width];
        for (var row = 0; row < features.Rows; row++)
            for (var d = 0; d < mean.Length; d++) mean[d] += features.Row(row)[d] / (double)features.Rows;
        return [.. Enumerable.Range(0, features.Rows).Where(row => row != query)
            .Select(row => (Row: row, Cosine: Cosine(features.Row(query), features.Row(row), mean)))
            .OrderByDescending(n => n.Cosine).ThenBy(n => n.Row).Take(count)];
    }

    private static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b, double[] mean)
    {
        double product = 0, squaresA = 0, squaresB = 0;
        for (var d = 0; d < mean.Length; d++)
        {
            var (x, y) = (a[d] - mean[d], b[d] - mean[d]);
            product += x * y;
            squaresA += x * x;
            squaresB += y * y;
        }

        return product / Math.Max(Math.Sqrt(squaresA * squaresB), 1e-12);
    }
}

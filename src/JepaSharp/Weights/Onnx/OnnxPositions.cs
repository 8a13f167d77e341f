using JepaSharp.Models;

namespace JepaSharp.Weights.Onnx;

/// <summary>Resizing of a position table inside a graph, for images of any size: what <see cref="PositionTable"/> computes, in ONNX's
/// operators.</summary>
/// <remarks>T' = R T C, rows and columns apart; R [h', h] and C [w', w] hold the weights of the cubic kernel, computed from the sides of the
/// input.</remarks>
internal sealed class OnnxPositions(OnnxGraph graph, VisionTransformerShape shape)
{
    /// <summary>Positions of the patches of a map.</summary>
    /// <param name="map">[B, D, h', w'].</param>
    /// <param name="table">[h, w D].</param>
    /// <returns>[1, N', D].</returns>
    public string For(string map, string table)
    {
        var sizes = graph.Do("Shape", [map]);
        string rows = Side(sizes, 2), columns = Side(sizes, 3);
        // The sides as DINO divides by them are a little longer, but not where nothing is to be resized.
        var excess = shape.Resizing == PositionResizing.BicubicOffset ? ExcessUnlessSame(rows, columns) : graph.Real(0);
        var down = graph.Do("MatMul", [Weights(rows, shape.GridHeight, excess), table]);
        var apart = graph.Do("Reshape", [down, graph.Whole(-1, shape.GridWidth, shape.Width)]);
        return graph.Do("Reshape", [graph.Do("MatMul", [Weights(columns, shape.GridWidth, excess), apart]), graph.Whole(1, -1, shape.Width)]);
    }

    private string Side(string sizes, long axis) => graph.Do("Gather", [sizes, graph.WholeScalar(axis)], ("axis", 0L));

    private string ExcessUnlessSame(string rows, string columns)
    {
        var same = graph.Do("And", [graph.Do("Equal", [rows, graph.WholeScalar(shape.GridHeight)]), graph.Do(
            "Equal", [columns, graph.WholeScalar(shape.GridWidth)])]);
        return graph.Do("Where", [same, graph.Real(0), graph.Real(0.1f)]);
    }

    /// <summary>What each of the old places weighs in each new one. [new, old].</summary>
    private string Weights(string side, int old, string excess)
    {
        var numbers = Cast(graph.Do("Range", [graph.WholeScalar(0), side, graph.WholeScalar(1)]));
        var index = graph.Do("Unsqueeze", [numbers, graph.Whole(1)]);
        var scale = Divide(graph.Real(old), Plus(Cast(side), excess));
        var center = Times(Plus(index, graph.Real(0.5f)), scale);
        return shape.Resizing == PositionResizing.BicubicAntialiased ? Widened(center, scale, old) : AtFourPlaces(center, old);
    }

    /// <summary>Keys' kernel with a = -0.75 at the four nearest places, those beyond the border taken for the border's.</summary>
    private string AtFourPlaces(string center, int old)
    {
        var place = Minus(center, graph.Real(0.5f));
        var floor = graph.Do("Floor", [place]);
        var taps = graph.Table($"{graph.Scope}taps_{old}_{graph.Constants.Count}", [-1, 0, 1, 2], 1, 4);
        var weights = Kernel(graph.Do("Abs", [Minus(Minus(place, floor), taps)]), -0.75f);
        var near = graph.Do("Clip", [Plus(floor, taps), graph.Real(0), graph.Real(old - 1)]);
        var chosen = graph.Do(
            "OneHot", [graph.Do("Cast", [near], ("to", (long)OnnxType.Int64)), graph.WholeScalar(old), graph.Real(0, 1)], ("axis", -1L));
        return graph.Do(
            "ReduceSum", [Times(graph.Do("Unsqueeze", [weights, graph.Whole(2)]), chosen), graph.Whole(1)], ("keepdims", 0L));
    }

    /// <summary>The kernel with a = -0.5 at every place, widened where the grid shrinks; each row scaled to a sum of 1.</summary>
    private string Widened(string center, string scale, int old)
    {
        var places = graph.Table(
            $"{graph.Scope}places_{old}_{graph.Constants.Count}", [.. Enumerable.Range(0, old).Select(j => j + 0.5f)], 1, old);
        var distance = Divide(graph.Do("Abs", [Minus(places, center)]), graph.Do("Max", [scale, graph.Real(1)]));
        var weights = Kernel(distance, -0.5f);
        return Divide(weights, graph.Do("ReduceSum", [weights, graph.Whole(1)], ("keepdims", 1L)));
    }

    /// <summary>(a + 2) x³ - (a + 3) x² + 1 up to 1, a (x³ - 5 x² + 8 x - 4) up to 2, 0 beyond.</summary>
    private string Kernel(string x, float a)
    {
        var squared = Times(x, x);
        var near = Plus(Times(Minus(Times(x, graph.Real(a + 2)), graph.Real(a + 3)), squared), graph.Real(1));
        var inner = Plus(Times(Minus(x, graph.Real(5)), x), graph.Real(8));
        var far = Times(Minus(Times(inner, x), graph.Real(4)), graph.Real(a));
        var within = graph.Do("Where", [graph.Do("Less", [x, graph.Real(2)]), far, graph.Real(0)]);
        return graph.Do("Where", [graph.Do("LessOrEqual", [x, graph.Real(1)]), near, within]);
    }

    private string Cast(string value) => graph.Do("Cast", [value], ("to", (long)OnnxType.Float32));

    private string Plus(string a, string b) => graph.Do("Add", [a, b]);

    private string Minus(string a, string b) => graph.Do("Sub", [a, b]);

    private string Times(string a, string b) => graph.Do("Mul", [a, b]);

    private string Divide(string a, string b) => graph.Do("Div", [a, b]);
}

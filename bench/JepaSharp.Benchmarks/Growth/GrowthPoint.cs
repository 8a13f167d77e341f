namespace JepaSharp.Benchmarks.Growth;

/// <summary>One measured shape on one of the sweeps.</summary>
/// <param name="Axis">What is changed: tokens, batch, width, depth.</param>
/// <param name="Value">Its value.</param>
/// <param name="Shape">The whole shape: grid,batch,width,depth.</param>
/// <param name="Operations">Floating-point operations of the method's products in a step.</param>
/// <param name="Seconds">Of the fastest step: other work on the machine only ever adds.</param>
/// <param name="Megabytes">Peak resident memory, MiB.</param>
internal sealed record GrowthPoint(string Axis, int Value, string Shape, double Operations, double Seconds, double Megabytes);

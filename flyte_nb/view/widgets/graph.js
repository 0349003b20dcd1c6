// The live graph by itself. Python puts hosted.js and graph_view.js in front.

export default hosted(GraphView, {
  ...GRAPH_HEARD,
  "msg:custom": (views, model, _memory, { states }) => {
    if (!states) return;
    mergeStates(model, states);
    for (const view of views) view.refresh(Object.keys(states));
  },
});

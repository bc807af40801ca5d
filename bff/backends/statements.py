"""What is asked of the read models and of the saga log, in SQL."""

from typing import Final

ORDEN: Final = """
    id_orden, id_producto, user_id, time_stamp, cantidad, direccion_entrega, estado, id_driver, motivo, transaction_id,
    instrucciones_entrega, creada_en, iniciada_en, despachada_en, finalizada_en, recibido_por"""
"""The columns of an order that clients see."""
ORDENES: Final = f"select {ORDEN} from ordenes"
ORDEN_TEXTS: Final = ("user_id", "direccion_entrega", "motivo", "instrucciones_entrega", "recibido_por")
"""The columns whose length has no small limit."""
FILTERS: Final = {
    "estado": "estado = :estado",
    "user_id": "user_id = :user_id",
    "id_producto": "id_producto = :id_producto",
    "desde": "time_stamp >= :desde",
    "hasta": "time_stamp < :hasta",
}
"""The condition of each filter of lists of orders and drivers."""
PRODUCTO: Final = "id, nombre, stock, fecha_creacion, fecha_actualizacion"
PRODUCTOS: Final = f"select {PRODUCTO} from productos where not eliminado"
CONDUCTOR: Final = "id_conductor, nombre, estado, id_orden, desde"
CONDUCTORES: Final = f"select {CONDUCTOR} from conductores"
CREATED_CONDUCTOR: Final = """
    select case when version = 1 and estado <> 'retirado' then jsonb_build_object('nombre', nombre) end as created
    from conductores where id_conductor = :id"""
"""What a driver was registered with, as far as nothing can have changed it."""
COUNT_CONDUCTORES: Final = "select estado, count(*) as drivers from conductores group by estado"
PAGE: Final = """
    select {columns} from (
        select page.*, sum({size}) over (order by {order} rows between unbounded preceding and 2 preceding) as before
        from ({rows} order by {order} limit :limit) page
    ) measured where coalesce(before, 0) <= :max_size order by {order}"""
"""The first rows, up to one after the first that does not fit into a page: no format is shorter than its texts."""
CREATED_PRODUCTO: Final = """
    select case when version = 1 then nombre end as nombre,
        case when version = 1 then stock
            else (select stock from movimientos where id_producto = :id and version = 1) end as stock
    from productos where id = :id and not (eliminado and version = 1)"""
MOVIMIENTO: Final = "id_producto, version, fecha, causa, id_orden, id_ajuste, cantidad, stock, motivo, rechazado"
MOVIMIENTOS: Final = f"select {MOVIMIENTO} from movimientos"
_WAITING: Final = """
    select count(*) as waiting_count, greatest(0, extract(epoch from now() - min({since}))) as oldest_age
    from ordenes where estado = '{estado}'"""
OPEN_ORDENES: Final = _WAITING.format(since="time_stamp", estado="creada")
DISPATCHED_ORDENES: Final = _WAITING.format(since="despachada_en", estado="despachada")
SAGA: Final = """
    select id_orden, transaction_id, time_stamp as timestamp, is_compensation, evento, contenido, id_mensaje
    from sagalog where id_orden = any(cast(:ids as uuid[]))
    order by time_stamp, array_position(array[
        'comando-crear-orden', 'comando-disminuir-stock', 'comando-asignar-conductor', 'comando-marcar-listo-despacho',
        'comando-cancelar-orden', 'comando-despachar-orden', 'comando-entregar-orden', 'comando-devolver-orden',
        'comando-completar-asignacion', 'comando-liberar-conductor', 'comando-revertir-disminuir-stock',
        'comando-revertir-orden-creada', 'evento-rechazo'],
        evento), id_mensaje"""

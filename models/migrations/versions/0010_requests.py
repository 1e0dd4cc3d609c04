"""requests under the UK GDPR, with their clocks"""

import sqlalchemy as sa
import sqlmodel  # noqa: F401
from alembic import op

import models.base  # noqa: F401

revision = '0010'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('rights_request',
    sa.Column('request_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('council', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('origin', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('places', sa.JSON(), nullable=False),
    sa.Column('link', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('note', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('received_on', sa.Date(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('extended_because', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('made_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('closed_at', models.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('closed_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('outcome', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('reason', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('counts', sa.JSON(), nullable=False),
    sa.CheckConstraint('(closed_at IS NULL) = (closed_by IS NULL)', name=op.f('ck_rights_request_closed_when_and_by_whom')),
    sa.CheckConstraint('(closed_at IS NULL) = (outcome IS NULL)', name=op.f('ck_rights_request_closed_with_an_outcome')),
    sa.CheckConstraint("closed_at IS NULL OR (link = '' AND note = '')", name=op.f('ck_rights_request_emptied_when_closed')),
    sa.PrimaryKeyConstraint('request_id', name=op.f('pk_rights_request'))
    )
    with op.batch_alter_table('rights_request', schema=None) as batch_op:
        batch_op.create_index('ix_rights_request_council', ['council', 'closed_at'], unique=False)
    op.create_table('request_key',
    sa.Column('request_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('author_key', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.ForeignKeyConstraint(['request_id'], ['rights_request.request_id'], name=op.f('fk_request_key_request_id_rights_request')),
    sa.PrimaryKeyConstraint('request_id', 'author_key', name=op.f('pk_request_key'))
    )
    with op.batch_alter_table('request_key', schema=None) as batch_op:
        batch_op.create_index('ix_request_key_author_key', ['author_key'], unique=False)


def downgrade() -> None:
    op.drop_table('request_key')
    op.drop_table('rights_request')
